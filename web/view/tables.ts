/** The tables of the program as heat maps. */
import type { PictureView, TableView, ViewModel } from '../../src/view/model.js';
import { h } from './dom.js';
import { showBytes, showInteger, showValue } from './format.js';
import { paintHeat } from './heat.js';
import type { State, Store } from './store.js';
import { unpack } from './unpack.js';

/** Pixels that a side may take, and the largest size of one entry. */
const SIDE = { width: 500, height: 400, entry: 10 } as const;

const legend = (lo: number, hi: number, { diverging, unit }: PictureView): HTMLElement => {
  const canvas = h('canvas', { class: 'heat', style: 'width:160px;height:10px', 'aria-hidden': 'true' });
  paintHeat(canvas, 1, 64, (k) => k / 63, diverging);
  return h(
    'div',
    { class: 'heat-legend' },
    h('span', {}, showValue(lo)),
    canvas,
    h('span', {}, showValue(hi)),
    h('span', { class: 'quiet' }, unit),
  );
};

const rangeOf = (data: ArrayLike<number>, diverging: boolean): readonly [number, number] => {
  let [lo, hi] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let k = 0; k < data.length; k++) {
    const v = data[k] ?? 0;
    if (v < lo) lo = v;
    if (v > hi) hi = v;
  }
  if (!diverging) return [Math.min(0, lo), Math.max(hi, 1)];
  const most = Math.max(1, Math.abs(lo), Math.abs(hi));
  return [-most, most];
};

const index = (at: number, step: number): string =>
  step === 1 ? String(at) : `${at * step} to ${(at + 1) * step - 1}`;

const picture = (view: PictureView): HTMLElement => {
  const data = unpack(view.data);
  const [lo, hi] = rangeOf(data, view.diverging);
  const scale = Math.min(SIDE.entry, SIDE.width / view.columns);
  const tall = Math.min(SIDE.entry, SIDE.height / view.rows);
  const [width, height] = [
    Math.max(32, Math.round(view.columns * scale)),
    Math.max(14, Math.round(view.rows * tall)),
  ];
  const said = h('span', { class: 'heat-value quiet' }, '\u00a0');
  const canvas = h('canvas', {
    class: 'heat',
    role: 'img',
    'aria-label': `${view.title}: ${view.rowLabel} down, ${view.columnLabel} across, from ${showValue(lo)} to ${showValue(hi)}`,
    style: `width:${width}px;height:${height}px`,
    onmousemove: (event) => {
      if (!(event instanceof MouseEvent)) return;
      const bounds = canvas.getBoundingClientRect();
      const column = Math.min(
        view.columns - 1,
        Math.max(0, Math.floor(((event.clientX - bounds.left) / bounds.width) * view.columns)),
      );
      const row = Math.min(
        view.rows - 1,
        Math.max(0, Math.floor(((event.clientY - bounds.top) / bounds.height) * view.rows)),
      );
      said.textContent = `${view.rowLabel} ${index(row, view.rowStep)}, ${view.columnLabel} ${index(column, view.columnStep)}: ${data[row * view.columns + column] ?? 0}`;
    },
    onmouseleave: () => {
      said.textContent = '\u00a0';
    },
  });
  paintHeat(canvas, view.rows, view.columns, (k) => ((data[k] ?? 0) - lo) / (hi - lo), view.diverging);
  const blocks = view.rowStep * view.columnStep > 1 ? ', the largest of each block' : '';
  return h(
    'figure',
    { class: 'picture' },
    h(
      'figcaption',
      {},
      view.title,
      h('span', { class: 'quiet' }, ` ${view.rowLabel} \u2193 ${view.columnLabel} \u2192${blocks}`),
    ),
    canvas,
    h('div', { class: 'row' }, legend(lo, hi, view), said),
  );
};

const tableItem = (table: TableView, k: number, chosen: boolean, store: Store): HTMLElement =>
  h(
    'li',
    {},
    h(
      'button',
      {
        type: 'button',
        'aria-current': chosen ? 'true' : undefined,
        'data-table': k,
        onclick: () => store.set({ table: k }),
      },
      h('b', {}, `%${table.op}`),
      h('span', {}, table.attr),
      h('span', { class: 'quiet' }, `${table.type}, ${showBytes(table.bytes)}`),
    ),
  );

export interface TablesPanel {
  readonly element: HTMLElement;
  readonly update: (now: State, before: State | undefined) => void;
  readonly redraw: () => void;
}

export const tablesPanel = (model: ViewModel, store: Store): TablesPanel => {
  const element = h('div', { class: 'tables' });
  const draw = (): void => {
    const { table: at } = store.get();
    const table = model.tables[at];
    if (table === undefined) {
      element.replaceChildren(h('p', { class: 'nothing' }, 'The last graph has no integer tables.'));
      return;
    }
    const bytes = model.tables.reduce((n, t) => n + t.bytes, 0);
    element.replaceChildren(
      h(
        'aside',
        { 'aria-label': 'Tables' },
        h(
          'h2',
          {},
          'Tables',
          h('span', { class: 'quiet' }, ` ${showInteger(model.tables.length)}, ${showBytes(bytes)}`),
        ),
        h('ol', { class: 'layer-list' }, ...model.tables.map((t, k) => tableItem(t, k, k === at, store))),
      ),
      h(
        'section',
        { class: 'pictures', 'aria-label': `Table ${table.attr} of ${table.op}` },
        h(
          'h2',
          {},
          h('code', {}, `%${table.op}`),
          ` ${table.attr} `,
          h('span', { class: 'quiet' }, `${table.type}, ${showBytes(table.bytes)}`),
        ),
        h('div', { class: 'picture-grid' }, ...table.pictures.map(picture)),
      ),
    );
  };
  return {
    element,
    update: (now, before) => {
      if (before === undefined || now.table !== before.table || now.tab !== before.tab) draw();
    },
    redraw: draw,
  };
};
