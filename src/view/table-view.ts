/** The tables of a program as heat maps: themselves where they are small, else projections of them. */
import { type Constant, showConstantType } from '../ir/constant.js';
import type { Graph, Node } from '../ir/graph.js';
import type { PictureView, TableView } from './model.js';
import { pack } from './pack.js';

/** Elements up to which a table is shown as it is, all tables together. */
const DIRECT_BUDGET = 160_000;
const DIRECT_MOST = 40_000;
const MOST_ROWS = 800;
const MOST_COLUMNS = 256;

/** Pixels of slabs, all tables together. */
const SLAB_BUDGET = 240_000;

/** Axis labels of a constant. */
interface Axes {
  readonly attr: string;
  readonly constant: Constant;
  readonly labels: ReadonlyArray<string>;
  readonly unit: string;
}

const tablesOf = ({ op }: Node): ReadonlyArray<Axes> => {
  if (op.kind === 'table.edge') {
    return [
      { attr: 'table', constant: op.attrs.table, labels: ['input', 'code', 'output'], unit: 'table entry' },
    ];
  }
  if (op.kind === 'table.basis') {
    const { coefficients, basis, base } = op.attrs;
    const unit = 'coefficient';
    return [
      { attr: 'coefficients', constant: coefficients, labels: ['input', 'function', 'output'], unit },
      { attr: 'basis', constant: basis, labels: ['fraction', 'function'], unit: 'basis value' },
      ...(base === undefined
        ? []
        : [{ attr: 'base', constant: base, labels: ['input', 'output'], unit: 'base weight' }]),
    ];
  }
  if (op.kind === 'recode') {
    return [{ attr: 'map', constant: op.attrs.map, labels: ['channel', 'code'], unit: 'new code' }];
  }
  if (op.kind === 'table.sum') {
    return op.attrs.tables.map((constant, k) => ({
      attr: `tables[${k}]`,
      constant,
      labels: ['channel', 'code'],
      unit: 'table entry',
    }));
  }
  return [];
};

interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly at: (row: number, column: number) => number;
}

/** The picture of a matrix; the largest magnitude over blocks where it is larger than a picture. */
const picture = (
  title: string,
  { rows, columns, at }: Matrix,
  rowLabel: string,
  columnLabel: string,
  unit: string,
): PictureView => {
  const [rowStep, columnStep] = [Math.ceil(rows / MOST_ROWS), Math.ceil(columns / MOST_COLUMNS)];
  const [height, width] = [Math.ceil(rows / rowStep), Math.ceil(columns / columnStep)];
  const data = new Int32Array(height * width);
  let [least, most] = [0, 0];
  for (let r = 0; r < rows; r++) {
    const to = Math.floor(r / rowStep) * width;
    for (let c = 0; c < columns; c++) {
      const v = Math.round(at(r, c));
      const k = to + Math.floor(c / columnStep);
      if (Math.abs(v) >= Math.abs(data[k] ?? 0)) data[k] = v;
      if (v < least) least = v;
      if (v > most) most = v;
    }
  }
  const packed =
    least >= -128 && most < 128
      ? Int8Array.from(data)
      : least >= -32768 && most < 32768
        ? Int16Array.from(data)
        : data;
  return {
    title,
    rows: height,
    columns: width,
    rowLabel,
    columnLabel,
    unit,
    rowStep,
    columnStep,
    diverging: least < 0,
    data: pack(packed),
  };
};

/** [rows, columns] of a constant of rank 2. */
const flat = ({ data, shape }: Constant): Matrix => {
  const [rows, columns] = [shape[0] ?? 0, shape[1] ?? 0];
  return { rows, columns, at: (r, c) => data[r * columns + c] ?? 0 };
};

/** Every slab of a constant of rank 3, one below the other. */
const stacked = ({ data, shape }: Constant): Matrix => {
  const [slabs, rows, columns] = [shape[0] ?? 0, shape[1] ?? 0, shape[2] ?? 0];
  return { rows: slabs * rows, columns, at: (r, c) => data[r * columns + c] ?? 0 };
};

/** Range of entries over the middle axis: how much an edge says. */
const rangeOver = ({ data, shape }: Constant): Matrix => {
  const [slabs, rows, columns] = [shape[0] ?? 0, shape[1] ?? 0, shape[2] ?? 0];
  return {
    rows: slabs,
    columns,
    at: (s, c) => {
      let [lo, hi] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      for (let r = 0; r < rows; r++) {
        const v = data[(s * rows + r) * columns + c] ?? 0;
        if (v < lo) lo = v;
        if (v > hi) hi = v;
      }
      return hi - lo;
    },
  };
};

/** Root mean square over the last axis. */
const sizeOver = ({ data, shape }: Constant): Matrix => {
  const [slabs, rows, columns] = [shape[0] ?? 0, shape[1] ?? 0, shape[2] ?? 0];
  return {
    rows: slabs,
    columns: rows,
    at: (s, r) => {
      let sum = 0;
      for (let c = 0; c < columns; c++) sum += (data[(s * rows + r) * columns + c] ?? 0) ** 2;
      return Math.sqrt(sum / Math.max(1, columns));
    },
  };
};

/** Most slabs of one table. */
const SLABS = 6;

/** The slabs with the widest entries. */
const widestSlabs = (constant: Constant, count: number): ReadonlyArray<number> => {
  const [slabs, size] = [constant.shape[0] ?? 0, (constant.shape[1] ?? 0) * (constant.shape[2] ?? 0)];
  const widths = Array.from({ length: slabs }, (_, s) => {
    let sum = 0;
    for (let e = s * size; e < (s + 1) * size; e++) sum += (constant.data[e] ?? 0) ** 2;
    return sum;
  });
  return widths
    .map((_, s) => s)
    .sort((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0) || a - b)
    .slice(0, count)
    .sort((a, b) => a - b);
};

const slab = ({ data, shape }: Constant, s: number): Matrix => {
  const [rows, columns] = [shape[1] ?? 0, shape[2] ?? 0];
  return { rows, columns, at: (r, c) => data[(s * rows + r) * columns + c] ?? 0 };
};

/** `slabs`: how many are shown whole beside projections. */
const picturesOf = (
  { constant, labels, unit }: Axes,
  direct: boolean,
  slabs: number,
): ReadonlyArray<PictureView> => {
  const [first = '', second = '', third = ''] = labels;
  if (constant.shape.length === 2) return [picture('all entries', flat(constant), first, second, unit)];
  if (direct) {
    return [picture('all entries', stacked(constant), `${first} x ${second}`, third, unit)];
  }
  return [
    picture('range of every edge', rangeOver(constant), first, third, `largest less least ${unit}`),
    picture(`size at every ${second}`, sizeOver(constant), first, second, `RMS of ${unit} over outputs`),
    ...widestSlabs(constant, slabs).map((s) =>
      picture(`${first} ${s}`, slab(constant, s), second, third, unit),
    ),
  ];
};

/** The tables of a graph, in the order of its ops. */
export const tableViews = (graph: Graph): ReadonlyArray<TableView> => {
  let left = DIRECT_BUDGET;
  let pixels = SLAB_BUDGET;
  return graph.nodes.flatMap((node) =>
    tablesOf(node).map((axes) => {
      const { constant, attr } = axes;
      const direct = constant.data.length <= Math.min(left, DIRECT_MOST);
      if (direct) left -= constant.data.length;
      const size =
        Math.min(MOST_ROWS, constant.shape[1] ?? 1) * Math.min(MOST_COLUMNS, constant.shape[2] ?? 1);
      const slabs = direct ? 0 : Math.min(SLABS, Math.floor(pixels / 4 / size));
      pixels -= slabs * size;
      return {
        op: node.name,
        attr,
        type: showConstantType(constant),
        bytes: constant.data.byteLength,
        pictures: picturesOf(axes, direct, slabs),
      };
    }),
  );
};
