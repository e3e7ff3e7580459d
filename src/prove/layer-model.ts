/**
 * A table layer as what it is: every element of its operand adds rows of integers to some of the results,
 *
 *   result[target + o * inner] = start + sum over elements e and their readers r of row(input_r, code_r(e))[o]
 *
 * where a reader is an input of the layer (at one place, over windows) that reads the element. Gathers and maps that a
 * stage looks through are part of it.
 */
import { int, uint } from '../ir/element.js';
import type { Node } from '../ir/graph.js';
import { evaluateOp } from '../ir/ops/index.js';
import { layerInputs } from '../ir/ops/layers.js';
import type { TableBasisAttrs } from '../ir/ops/table-basis.js';
import { slabOf } from '../ir/ops/table-edge.js';
import { isTableLayer, type TableLayerOp, tableLayer } from '../ir/table-layer.js';
import { innerOf, levelsOf, sizeOf, type ValueType, valueType } from '../ir/types.js';
import { forEachWindowInput, type Window } from '../ir/window.js';
import type { Unit } from './unit.js';

/** Rows of one input: entry o of layer code c is data[at + c * width + o]. */
export interface Rows {
  readonly data: ArrayLike<number>;
  readonly at: number;
}

export interface LayerModel {
  readonly op: TableLayerOp;
  /** Codes that an element can have, and elements of the operand. */
  readonly levels: number;
  readonly elements: number;
  /** Inputs of the layer; a result takes rows of those of its group. */
  readonly inputs: number;
  readonly groups: number;
  /** Outputs of a row, results, and places of a result's channel. */
  readonly width: number;
  readonly results: number;
  readonly inner: number;
  /** Readers of element e: from first[e] to before first[e + 1]. */
  readonly first: Int32Array;
  readonly readerInput: Int32Array;
  readonly readerTarget: Int32Array;
  /** Whether an element can have a code. */
  readonly occurs: (element: number, code: number) => boolean;
  /** The code of the layer for a code of an element. */
  readonly layerCode: (element: number, code: number) => number;
  readonly rowsOf: (input: number) => Rows;
  /** Over windows: the window, the shape [C, H, W] that it runs over, and the element behind each pixel. */
  readonly window:
    | { readonly window: Window; readonly shape: ReadonlyArray<number>; readonly elementOf: Int32Array }
    | undefined;
}

/** Where the elements of the layer's operand come from, and what codes become on the way. */
interface Path {
  readonly elementOf: Int32Array;
  readonly code: (element: number, code: number) => number;
}

/** Undefined where the nodes are no chain of moves and maps. */
const pathOf = (operand: ValueType, nodes: ReadonlyArray<Node>): Path | undefined => {
  let elementOf = Int32Array.from({ length: sizeOf(operand) }, (_, e) => e);
  let code = (_: number, c: number): number => c;
  let type = operand;
  for (const { op, type: next, operands } of nodes) {
    if (operands.length !== 1) return undefined;
    const before = elementOf;
    if (op.kind === 'gather') {
      const inner = innerOf(next);
      const indices = op.attrs.indices.data;
      elementOf = Int32Array.from(
        { length: sizeOf(next) },
        (_, j) => before[indices[Math.floor(j / inner)]! * inner + (j % inner)]!,
      );
    } else if (op.kind === 'recode') {
      const { map } = op.attrs;
      const [rows, levels] = [map.shape[0]!, map.shape[1]!];
      // Behind a move with maps of its own, an element could stand for several channels.
      if (rows !== 1 && before.some((e, j) => e !== j)) return undefined;
      const inner = innerOf(type);
      const earlier = code;
      code = (e, c) => map.data[(rows === 1 ? 0 : Math.floor(e / inner) * levels) + earlier(e, c)]!;
    } else if (op.kind !== 'reshape' && op.kind !== 'observe') return undefined;
    type = next;
  }
  return { elementOf, code };
};

/** Calls back for every reader: a pixel of the layer's operand, the input, and where the first result of its row is. */
const forEachReader = (
  window: Window | undefined,
  shape: ReadonlyArray<number>,
  width: number,
  inner: number,
  visit: (pixel: number, input: number, target: number) => void,
): void => {
  if (window === undefined) {
    for (let i = 0; i < shape[0]!; i++) visit(i, i, 0);
    return;
  }
  forEachWindowInput(window, shape, (position, group, input, pixel) => {
    if (pixel >= 0) visit(pixel, input, group * width * inner + position);
  });
};

/** Undefined where the unit does not end in a table layer, or reaches it in a way that is not a path. */
export const layerModel = (unit: Unit): LayerModel | undefined => {
  const last = unit.nodes[unit.nodes.length - 1];
  const operand = unit.operands[0];
  if (last === undefined || operand === undefined || unit.operands.length !== 1) return undefined;
  const { op } = last;
  if (!isTableLayer(op)) return undefined;
  const before = unit.nodes.slice(0, -1);
  const path = pathOf(operand.type, before);
  if (path === undefined) return undefined;
  const shape = before[before.length - 1]?.type.shape ?? operand.type.shape;
  const { window, outputs: width, groups } = tableLayer(op);
  const inner = innerOf(unit.type);
  const elements = sizeOf(operand.type);
  const first = new Int32Array(elements + 1);
  forEachReader(window, shape, width, inner, (pixel) => {
    first[path.elementOf[pixel]! + 1]!++;
  });
  for (let e = 0; e < elements; e++) first[e + 1]! += first[e]!;
  const next = first.slice();
  const readerInput = new Int32Array(first[elements]!);
  const readerTarget = new Int32Array(first[elements]!);
  forEachReader(window, shape, width, inner, (pixel, input, target) => {
    const at = next[path.elementOf[pixel]!]!++;
    readerInput[at] = input;
    readerTarget[at] = target;
  });
  return {
    op,
    levels: levelsOf(operand.type),
    elements,
    inputs: layerInputs(shape, window),
    groups,
    width,
    results: sizeOf(unit.type),
    inner,
    first,
    readerInput,
    readerTarget,
    occurs: (element, code) => unit.occurs?.(0, element, code) ?? true,
    layerCode: path.code,
    rowsOf: rowsOf(op, width),
    window: window === undefined ? undefined : { window, shape, elementOf: path.elementOf },
  };
};

/** Integers of rows that are kept; rows of edge tables are the table itself. */
const KEPT_ROWS = 2 ** 24;

const rowsOf = (op: TableLayerOp, width: number): LayerModel['rowsOf'] => {
  if (op.kind === 'table.edge') {
    const { attrs } = op;
    const slab = attrs.table.shape[1]! * width;
    return (input) => ({ data: attrs.table.data, at: slabOf(attrs, input) * slab });
  }
  let kept = 0;
  const known = new Map<number, Rows>();
  return (input) => {
    const before = known.get(input);
    if (before !== undefined) return before;
    const rows: Rows = { data: basisRows(op.attrs, input, width), at: 0 };
    if (kept > KEPT_ROWS) {
      known.clear();
      kept = 0;
    }
    kept += rows.data.length;
    known.set(input, rows);
    return rows;
  };
};

/** What one input adds at every code: the interpreter on a layer of that input alone, without a bias. */
const basisRows = (attrs: TableBasisAttrs, input: number, width: number): ArrayLike<number> => {
  const { bias: _bias, window: _window, frequent: _frequent, ...rest } = attrs;
  const levels = attrs.span.shape[1]!;
  const cut = (c: TableBasisAttrs['coefficients'], inputs: number) => {
    const size = c.data.length / inputs;
    return { ...c, shape: [1, ...c.shape.slice(1)], data: c.data.subarray(input * size, (input + 1) * size) };
  };
  const inputs = attrs.coefficients.shape[0]!;
  const own: TableBasisAttrs = {
    ...rest,
    coefficients: cut(attrs.coefficients, inputs),
    ...(attrs.rows === undefined ? {} : { rows: cut(attrs.rows, inputs) }),
    ...(attrs.base === undefined ? {} : { base: cut(attrs.base, inputs) }),
  };
  const codes = {
    type: valueType(uint(16), [1]),
    batch: levels,
    data: Uint16Array.from({ length: levels }, (_, c) => c),
  };
  return evaluateOp({ kind: 'table.basis', attrs: own }, [codes], valueType(int(32), [width])).data;
};
