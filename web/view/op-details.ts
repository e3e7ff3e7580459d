/** One op in words: its type, attributes, cost, and ways on from it. */
import type { AttrView, NodeView, ViewModel } from '../../src/view/model.js';
import { button, h } from './dom.js';
import { showBytes, showCount, showInteger, showValue } from './format.js';
import { shownNodes } from './graph.js';
import type { State, Store } from './store.js';

const attrRow = ({ name, value, range }: AttrView): HTMLElement =>
  h(
    'tr',
    {},
    h('th', { scope: 'row' }, name),
    h(
      'td',
      {},
      h('code', {}, value),
      ...(range === undefined
        ? []
        : [h('span', { class: 'quiet' }, ` ${showValue(range[0])} to ${showValue(range[1])}`)]),
    ),
  );

const reference = (name: string, store: Store): HTMLElement =>
  h('button', { type: 'button', class: 'link', onclick: () => store.set({ op: name }) }, `%${name}`);

const change = (node: NodeView, model: ViewModel, step: number): string => {
  if (node.change !== 'changed') return node.change === 'same' ? '' : `${node.change} by this pass`;
  const before = model.steps[model.steps[step - 1]?.graph ?? 0]?.nodes?.find(
    ({ name }) => name === node.name,
  );
  return before !== undefined && before.op !== node.op ? `was ${before.op}` : 'changed by this pass';
};

const figure = (name: string, value: string): HTMLElement =>
  h('div', {}, h('dt', {}, name), h('dd', {}, value));

export const opDetails = (model: ViewModel, state: State, store: Store): HTMLElement => {
  const node = shownNodes(model, state).find(({ name }) => name === state.op);
  if (node === undefined) {
    return h(
      'section',
      { class: 'op-details empty', 'aria-label': 'Op' },
      h('p', { class: 'quiet' }, 'Choose an op in the graph, or a name in the text.'),
    );
  }
  const readers = shownNodes(model, state).filter(({ operands }) => operands.includes(node.name));
  const { layer } = node;
  const said = change(node, model, state.step);
  const links = (names: ReadonlyArray<string>): ReadonlyArray<Node> =>
    names.flatMap((name, k) => [...(k === 0 ? [] : [document.createTextNode(', ')]), reference(name, store)]);
  return h(
    'section',
    { class: 'op-details', 'aria-label': `Op ${node.name}` },
    h(
      'h3',
      {},
      h('span', { class: `dot ${node.change}` }),
      h('b', {}, node.op),
      h('code', {}, node.op === 'return' ? '' : `%${node.name}`),
      ...(said === '' ? [] : [h('span', { class: `said ${node.change}` }, said)]),
      h('span', { class: 'grow' }),
      ...(layer === undefined
        ? []
        : [
            button('Edges of this layer', 'Show the edges of this layer', () =>
              store.set({ tab: 'edges', layer, edge: undefined }),
            ),
          ]),
    ),
    h(
      'dl',
      { class: 'figures' },
      ...(node.bitOps > 0 ? [figure('BitOps', showCount(node.bitOps))] : []),
      ...(node.reads > 0 ? [figure('table reads', showInteger(Math.round(node.reads)))] : []),
      ...(node.bytes > 0 ? [figure('constants', showBytes(node.bytes))] : []),
    ),
    h(
      'table',
      { class: 'attrs' },
      h(
        'tbody',
        {},
        h('tr', {}, h('th', { scope: 'row' }, 'type'), h('td', {}, h('code', {}, node.type))),
        ...(node.meaning === undefined
          ? []
          : [h('tr', {}, h('th', { scope: 'row' }, 'meaning'), h('td', {}, h('code', {}, node.meaning)))]),
        ...(node.operands.length === 0
          ? []
          : [h('tr', {}, h('th', { scope: 'row' }, 'reads'), h('td', {}, ...links(node.operands)))]),
        ...(readers.length === 0
          ? []
          : [
              h(
                'tr',
                {},
                h('th', { scope: 'row' }, 'read by'),
                h(
                  'td',
                  {},
                  ...links(readers.filter(({ op }) => op !== 'return').map(({ name }) => name)),
                  ...(readers.some(({ op }) => op === 'return') ? [' the result'] : []),
                ),
              ),
            ]),
        ...node.attrs.map(attrRow),
      ),
    ),
  );
};
