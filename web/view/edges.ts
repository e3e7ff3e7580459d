/** The edges of a layer: which layer, how its edges are spread, the edges themselves, and one of them large. */
import * as Plot from '@observablehq/plot';
import type { LayerView, ViewModel } from '../../src/view/model.js';
import { SCORE_DECADES } from '../../src/view/model.js';
import { choice, h } from './dom.js';
import { edgeData, type Filter, orderedEdges, SORT_TITLES, SORTS, type Sort } from './edge-data.js';
import { edgeDetail } from './edge-detail.js';
import { edgeGrid } from './edge-grid.js';
import { edgeMap } from './edge-map.js';
import { showInteger, showPercent, showValue } from './format.js';
import type { State, Store } from './store.js';

/** How a score is spread over the edges, on the logarithmic scale that its bins are equal on. */
const spreadPlot = (title: string, of: LayerView['error'], width: number, fill: string): HTMLElement => {
  const { counts, max } = of;
  const at = (k: number): number => max * 10 ** ((k / counts.length - 1) * SCORE_DECADES);
  const bins = counts.map((count, k) => ({ from: at(k), to: at(k + 1), count }));
  const first = Math.max(0, bins.findIndex(({ count }) => count > Math.max(...counts) / 500) - 1);
  return h(
    'figure',
    {},
    h('figcaption', {}, title, h('span', { class: 'quiet' }, `median ${showValue(of.median)}`)),
    Plot.plot({
      width,
      height: 92,
      marginLeft: 40,
      marginRight: 8,
      marginTop: 8,
      marginBottom: 24,
      style: { background: 'none', fontSize: '10px' },
      x: {
        type: 'log',
        domain: [Math.min(at(first), max / 10), Math.max(max, 1e-12)],
        label: null,
        ticks: 3,
        tickFormat: '.0e',
        tickSize: 3,
      },
      y: { label: null, ticks: 3, tickFormat: 's', grid: true },
      marks: [Plot.rectY(bins.slice(first), { x1: 'from', x2: 'to', y: 'count', fill, insetRight: 0.5 })],
    }),
  );
};

const FORM_NAMES: Readonly<Record<LayerView['form'], string>> = {
  edge: 'edge tables',
  basis: 'basis tables',
  codes: 'quantized inputs',
  none: 'float functions',
};

/** Where only tables are known there are no errors to sort by. */
const sortsOf = (layer: LayerView): ReadonlyArray<Sort> =>
  edgeData(layer).compared ? SORTS : ['importance', 'position'];

export interface EdgesPanel {
  readonly element: HTMLElement;
  readonly update: (now: State, before: State | undefined) => void;
  readonly redraw: () => void;
}

export const edgesPanel = (model: ViewModel, store: Store): EdgesPanel => {
  const grid = edgeGrid((edge) => store.set({ edge }));
  const aside = h('aside', { class: 'edges-side', 'aria-label': 'Layers' });
  const bar = h('div', { class: 'bar-top' });
  const detail = h('div', { class: 'detail-host' });
  const spoken = h('p', { class: 'spoken', 'aria-live': 'polite' });
  const element = h(
    'div',
    { class: 'edges' },
    aside,
    h('section', { class: 'grid-panel', 'aria-label': 'Edges' }, bar, grid.element, spoken),
    detail,
  );
  let filter: Filter = { sort: 'error', dead: true, input: undefined, output: undefined };
  let shared = false;

  const layerOf = (state: State): LayerView | undefined => model.layers[state.layer];

  const list = (): void => {
    const layer = layerOf(store.get());
    if (layer === undefined) return;
    const data = edgeData(layer);
    const sorts = sortsOf(layer);
    if (!sorts.includes(filter.sort)) filter = { ...filter, sort: sorts[0] ?? 'position' };
    const edges = orderedEdges(data, filter);
    grid.show({ data, edges, range: shared ? sharedRange(edges) : undefined });
    drawBar(layer, edges.length);
    const { edge } = store.get();
    if (edge === undefined || !edges.includes(edge)) store.set({ edge: edges[0] });
  };

  /** One range for all: that of the widest of the first edges, around 0. */
  const sharedRange = (edges: Uint32Array): readonly [number, number] | undefined => {
    const layer = layerOf(store.get());
    if (layer === undefined) return undefined;
    const data = edgeData(layer);
    let most = 0;
    for (const e of edges.subarray(0, 2000)) {
      const curve = data.shape(e)?.curve ?? [];
      for (let k = 0; k < curve.length; k++) most = Math.max(most, Math.abs(curve[k] ?? 0));
    }
    return most > 0 ? [-most, most] : undefined;
  };

  const setFilter = (change: Partial<Filter>): void => {
    filter = { ...filter, ...change };
    list();
  };
  const numberField = (label: string, of: 'input' | 'output', most: number): HTMLElement =>
    h(
      'label',
      { class: 'number' },
      `${label} `,
      h('input', {
        type: 'number',
        'aria-label': `Only edges of this ${of}`,
        min: 0,
        max: most - 1,
        placeholder: 'all',
        value: filter[of] ?? '',
        onchange: (event) => {
          const value = event.target instanceof HTMLInputElement ? event.target.valueAsNumber : Number.NaN;
          setFilter({ [of]: Number.isInteger(value) && value >= 0 && value < most ? value : undefined });
        },
      }),
    );
  const check = (label: string, checked: boolean, onchange: () => void): HTMLElement =>
    h('label', { class: 'toggle' }, h('input', { type: 'checkbox', checked, onchange }), ` ${label}`);

  const drawBar = (layer: LayerView, shown: number): void => {
    const total = layer.inputs * layer.outputs;
    bar.replaceChildren(
      choice(
        'Order of the edges',
        sortsOf(layer).map((sort) => [sort, SORT_TITLES[sort]] as const),
        filter.sort,
        (sort) => setFilter({ sort }),
      ),
      numberField('in', 'input', layer.inputs),
      numberField('out', 'output', layer.outputs),
      check('one scale', shared, () => {
        shared = !shared;
        list();
      }),
      ...(layer.deadEdges === 0
        ? []
        : [check('constant ones', filter.dead, () => setFilter({ dead: !filter.dead }))]),
      h('span', { class: 'grow' }),
      h(
        'span',
        { class: 'quiet' },
        shown === total
          ? `${showInteger(total)} edges`
          : `${showInteger(shown)} of ${showInteger(total)} edges`,
      ),
    );
  };

  const drawAside = (state: State): void => {
    const layer = layerOf(state);
    const width = 252;
    aside.replaceChildren(
      h('h2', {}, 'Layers'),
      h(
        'ol',
        { class: 'layer-list' },
        ...model.layers.map((l, k) =>
          h(
            'li',
            {},
            h(
              'button',
              {
                type: 'button',
                'aria-current': k === state.layer ? 'true' : undefined,
                'data-layer': k,
                onclick: () => store.set({ layer: k, edge: undefined }),
              },
              h('b', {}, l.name),
              h('span', { class: 'quiet' }, `${showInteger(l.inputs)} \u00d7 ${showInteger(l.outputs)}`),
            ),
          ),
        ),
      ),
      ...(layer === undefined ? [] : layerFacts(layer, width)),
    );
  };

  const layerFacts = (layer: LayerView, width: number): ReadonlyArray<Node> => {
    const total = layer.inputs * layer.outputs;
    const { compared } = edgeData(layer);
    return [
      h(
        'dl',
        { class: 'figures' },
        h('div', {}, h('dt', {}, 'shown as'), h('dd', {}, FORM_NAMES[layer.form])),
        h(
          'div',
          {},
          h('dt', {}, 'constant edges'),
          h('dd', {}, `${showInteger(layer.deadEdges)} (${showPercent(layer.deadEdges / total, 1)})`),
        ),
        ...(layer.deadInputs === 0
          ? []
          : [h('div', {}, h('dt', {}, 'inputs without effect'), h('dd', {}, showInteger(layer.deadInputs)))]),
        ...(layer.removedEdges === 0
          ? []
          : [h('div', {}, h('dt', {}, 'edges removed'), h('dd', {}, showInteger(layer.removedEdges)))]),
        ...(layer.isLast
          ? []
          : [
              h(
                'div',
                {},
                h('dt', {}, 'tables'),
                h('dd', {}, 'of a graph before the last, which has no layer of this name with these edges'),
              ),
            ]),
      ),
      ...(compared ? [spreadPlot('Error (RMS)', layer.error, width, 'var(--accent)')] : []),
      spreadPlot('Importance (std)', layer.importance, width, 'var(--curve)'),
      edgeMap(layer, width, compared ? 'error' : 'importance', (input, output) => {
        store.set({ edge: input * layer.outputs + output });
      }),
    ];
  };

  const drawDetail = (state: State): void => {
    const layer = layerOf(state);
    if (layer === undefined) return;
    const data = edgeData(layer);
    detail.replaceChildren(edgeDetail(data, state.edge, Math.max(280, detail.clientWidth - 32)));
    spoken.textContent =
      state.edge === undefined
        ? ''
        : `Input ${Math.floor(state.edge / layer.outputs)} to output ${state.edge % layer.outputs}: error ${showValue(data.error(state.edge))}, importance ${showValue(data.importance(state.edge))}`;
  };

  return {
    element,
    update: (now, before) => {
      if (layerOf(now) === undefined) {
        element.replaceChildren(
          h('p', { class: 'nothing' }, 'There are no layers with edges in these graphs.'),
        );
        return;
      }
      if (before === undefined || now.layer !== before.layer || now.tab !== before.tab) {
        if (now.layer !== before?.layer) filter = { ...filter, input: undefined, output: undefined };
        drawAside(now);
        list();
      }
      grid.choose(store.get().edge);
      drawDetail(store.get());
    },
    redraw: () => {
      grid.redraw();
      drawAside(store.get());
      drawDetail(store.get());
    },
  };
};
