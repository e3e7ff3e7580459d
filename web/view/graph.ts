/** The graph of a step as a drawing: before the pass, after it, or both in one with what changed. */
import type { Change, NodeView, ViewModel } from '../../src/view/model.js';
import { button, choice, h, reveal, svg } from './dom.js';
import { showBytes } from './format.js';
import { BOX, type Layout, type Line, layoutOf, type Placed } from './layout.js';
import type { State, Store } from './store.js';

/** Ops of a step as a mode shows them. Removed ones stand in the list of the step after them. */
export const shownNodes = (
  model: ViewModel,
  { step, mode }: Pick<State, 'step' | 'mode'>,
): ReadonlyArray<NodeView> => {
  const at = model.steps[step];
  const nodes = model.steps[at?.graph ?? 0]?.nodes ?? [];
  const plain = (list: ReadonlyArray<NodeView>): ReadonlyArray<NodeView> =>
    list.filter((n) => n.change !== 'removed').map((n) => ({ ...n, change: 'same' }));
  if (at?.changed !== true) return plain(nodes);
  if (mode === 'after') return plain(nodes);
  if (mode === 'diff' || step === 0) return nodes;
  const before = model.steps[model.steps[step - 1]?.graph ?? 0]?.nodes ?? [];
  return plain(before);
};

const SIGN: Readonly<Record<Change, string>> = { same: '', changed: '~', added: '+', removed: '\u2212' };

const SPOKEN: Readonly<Record<Change, string>> = {
  same: '',
  changed: ', changed by this pass',
  added: ', added by this pass',
  removed: ', removed by this pass',
};

const cut = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most - 1)}\u2026` : text;

/** Letters of name and type together that a box has room for. */
const LETTERS = 28;

const box = ({ node, x, y }: Placed, store: Store): SVGGElement => {
  const [left, top] = [x - BOX.width / 2, y - BOX.height / 2];
  const isEnd = node.op === 'input' || node.op === 'return';
  const name = node.op === 'return' ? node.operands.map((o) => `%${o}`).join(', ') : `%${node.name}`;
  const select = (): void => store.set({ op: node.name });
  return svg(
    'g',
    {
      class: `op ${node.change}${isEnd ? ' end' : ''}`,
      transform: `translate(${left} ${top})`,
      tabindex: 0,
      role: 'button',
      'data-op': node.name,
      'aria-label': `${node.op} ${name}, ${node.type}${SPOKEN[node.change]}`,
      'aria-pressed': String(store.get().op === node.name),
      onclick: select,
      onkeydown: (event) => {
        if (event instanceof KeyboardEvent && (event.key === 'Enter' || event.key === ' ')) {
          event.preventDefault();
          select();
        }
      },
    },
    svg('title', {}, `${name} : ${node.type}`),
    svg('rect', { width: BOX.width, height: BOX.height, rx: isEnd ? BOX.height / 2 : 7 }),
    ...(isEnd
      ? []
      : [svg('rect', { class: 'mark', width: 5, height: BOX.height - 16, x: 7, y: 8, rx: 2.5 })]),
    svg('text', { class: 'kind', x: 20, y: 24 }, node.op),
    ...(node.bytes > 0
      ? [
          svg(
            'text',
            { class: 'bytes', x: BOX.width - 12, y: 24, 'text-anchor': 'end' },
            showBytes(node.bytes),
          ),
        ]
      : []),
    svg('text', { class: 'name', x: 20, y: 44 }, cut(name, Math.max(8, LETTERS - node.type.length))),
    svg(
      'text',
      { class: 'type', x: BOX.width - 12, y: 44, 'text-anchor': 'end' },
      cut(node.type, LETTERS - 8),
    ),
    ...(SIGN[node.change] === ''
      ? []
      : [
          svg('circle', { class: 'sign', cx: BOX.width - 2, cy: 2, r: 8.5 }),
          svg('text', { class: 'sign', x: BOX.width - 2, y: 6, 'text-anchor': 'middle' }, SIGN[node.change]),
        ]),
  );
};

const path = ({ points }: Line): string => {
  const [first, ...rest] = points;
  if (first === undefined) return '';
  const last = rest.at(-1) ?? first;
  const middle = rest.slice(0, -1);
  const through = middle.map((p, k) => {
    const next = middle[k + 1] ?? last;
    return `Q${p.x},${p.y} ${(p.x + next.x) / 2},${(p.y + next.y) / 2}`;
  });
  return `M${first.x},${first.y}${through.join('')}L${last.x},${last.y - 3}`;
};

const line = (l: Line, gone: ReadonlySet<string>): SVGPathElement =>
  svg('path', {
    class: `wire${gone.has(l.from) || gone.has(l.to) ? ' removed' : ''}`,
    d: path(l),
    'marker-end': 'url(#arrow)',
  });

const drawing = (layout: Layout, store: Store, zoom: number): SVGSVGElement => {
  const gone = new Set(layout.boxes.flatMap(({ node }) => (node.change === 'removed' ? [node.name] : [])));
  return svg(
    'svg',
    {
      class: 'graph',
      width: layout.width * zoom,
      height: layout.height * zoom,
      viewBox: `0 0 ${layout.width} ${layout.height}`,
      role: 'group',
      'aria-label': 'Graph: inputs at the top, results at the bottom',
    },
    svg(
      'defs',
      {},
      svg(
        'marker',
        {
          id: 'arrow',
          viewBox: '0 0 8 8',
          refX: 6,
          refY: 4,
          markerWidth: 7,
          markerHeight: 7,
          orient: 'auto',
        },
        svg('path', { d: 'M0,0.5L7,4L0,7.5z', class: 'arrow' }),
      ),
    ),
    ...layout.lines.map((l) => line(l, gone)),
    ...layout.boxes.map((b) => box(b, store)),
  );
};

const ZOOMS = [0.25, 0.4, 0.55, 0.7, 0.85, 1, 1.25, 1.5] as const;

export interface GraphPanel {
  readonly element: HTMLElement;
  readonly update: (now: State, before: State | undefined) => void;
}

export const graphPanel = (model: ViewModel, store: Store): GraphPanel => {
  const field = h('div', { class: 'graph-field' });
  const bar = h('div', { class: 'bar-top' });
  const element = h('section', { class: 'graph-panel', 'aria-label': 'Graph' }, bar, field);
  let zoom: number | undefined;
  let layout: Layout | undefined;

  /** As much of the width as there is, but readable. */
  const fitting = (made: Layout): number => Math.max(0.55, Math.min(1, (field.clientWidth - 8) / made.width));

  const draw = (): void => {
    if (layout === undefined) return;
    field.replaceChildren(drawing(layout, store, zoom ?? fitting(layout)));
  };
  const step = (by: number): void => {
    const now = zoom ?? (layout === undefined ? 1 : fitting(layout));
    const near = ZOOMS.reduce(
      (best, z, k) => (Math.abs(z - now) < Math.abs((ZOOMS[best] ?? 1) - now) ? k : best),
      0,
    );
    zoom = ZOOMS[Math.max(0, Math.min(ZOOMS.length - 1, near + by))];
    draw();
  };
  const drawBar = (state: State): void => {
    const isPass = state.step > 0 && model.steps[state.step]?.changed === true;
    bar.replaceChildren(
      isPass
        ? choice(
            'What is drawn',
            [
              ['before', 'Before'],
              ['diff', 'Diff'],
              ['after', 'After'],
            ],
            state.mode,
            (mode) => store.set({ mode }),
          )
        : h('span', { class: 'quiet' }, 'Graph'),
      h('span', { class: 'grow' }),
      button('\u2212', 'Smaller', () => step(-1)),
      button('fit', 'Fit the width', () => {
        zoom = undefined;
        draw();
      }),
      button('+', 'Larger', () => step(1)),
    );
  };
  return {
    element,
    update: (now, before) => {
      const other =
        before === undefined ||
        now.step !== before.step ||
        now.mode !== before.mode ||
        now.tab !== before.tab;
      if (other) {
        layout = layoutOf(shownNodes(model, now));
        drawBar(now);
        draw();
        // Of a wide graph the corner is empty.
        const first = field.querySelector('g.added, g.changed, g.removed') ?? field.querySelector('g.end');
        if (first !== null) reveal(field, first, 'centre');
      }
      for (const g of field.querySelectorAll<SVGGElement>('g.op')) {
        const chosen = g.dataset['op'] === now.op;
        g.classList.toggle('chosen', chosen);
        g.setAttribute('aria-pressed', String(chosen));
        if (chosen && now.op !== before?.op) reveal(field, g);
      }
    },
  };
};
