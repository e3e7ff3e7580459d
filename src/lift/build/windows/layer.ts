/** Layers over windows of an image: terms in their places become branches of one `kan` op, or a pooling. */
import * as E from 'fp-ts/lib/Either.js';
import type { Checked } from '../../../diagnostics/index.js';
import type { Basis, Branch, ExpressionBasis } from '../../../ir/basis.js';
import { type Constant, f32Data, pickRows } from '../../../ir/constant.js';
import type { ValueName } from '../../../ir/graph.js';
import type { Window } from '../../../ir/window.js';
import type { FunctionId } from '../../functions.js';
import { raised } from '../../inner.js';
import type { LayerTerms } from '../../terms.js';
import { affine, applied } from '../pointwise.js';
import { addOp, f32, type Lifting } from '../state.js';
import { type BuildCut, valueOfSources } from '../values.js';
import type { Placed } from './place.js';

const areaOf = ({ vertical, horizontal }: Placed): number => vertical.kernel * horizontal.kernel;

const windowOf = ({ vertical, horizontal, groups }: Placed): Window => ({
  kernel: [vertical.kernel, horizontal.kernel],
  stride: [vertical.stride, horizontal.stride],
  padding: [vertical.padding, horizontal.padding],
  dilation: [vertical.dilation, horizontal.dilation],
  groups,
});

/**
 * The terms by channel: a row holds the weights of a function for the outputs of the channel's group and the places of
 * the kernel, [group outputs, kernel places], or of all groups where constants have to be told apart.
 */
const termsOf = (group: ReadonlyArray<Placed>): LayerTerms => {
  const [first] = group;
  const { form, perGroup } = first!;
  const area = areaOf(first!);
  const outputs = form.groups * perGroup * area;
  const functions = Array.from({ length: form.channels }, () => new Map<FunctionId, Float64Array>());
  for (const { term, form: f, rows, factors, vertical, horizontal } of group) {
    for (let g = 0; g < f.groups; g++) {
      for (let j = 0; j < f.taps; j++) {
        const at = g * f.taps + j;
        const own = functions[f.channel[at]!]!;
        let row = own.get(f.fn[at]!);
        if (row === undefined) {
          row = new Float64Array(outputs);
          own.set(f.fn[at]!, row);
        }
        const place = vertical.placeOf(f.dy[j]!) * horizontal.kernel + horizontal.placeOf(f.dx[j]!);
        for (let o = 0; o < perGroup; o++) {
          const c = g * perGroup + o;
          row[c * area + place]! += term.weights[rows[c]! * f.taps + j]! * f.factor[at]! * factors[c]!;
        }
      }
    }
  }
  return {
    outputs,
    functions: functions.map((own) => [...own.keys()]),
    weights: functions.map((own) => [...own.values()]),
    bias: new Float64Array(outputs),
  };
};

/** Rows of a constant of a basis for each tap of its channels. */
const perTap = (c: Constant, channels: number, area: number): Constant =>
  c.shape[0] === 1 && channels > 1
    ? c
    : pickRows(
        c,
        Uint32Array.from({ length: channels * area }, (_, t) => Math.floor(t / area)),
      );

/** The basis of channels as one of taps. */
const basisPerTap = (basis: Basis, channels: number, area: number): Basis => {
  if (basis._tag === 'bspline') return { ...basis, knots: perTap(basis.knots, channels, area) };
  return basis._tag === 'expression' && basis.edges !== true
    ? { ...basis, parameters: perTap(basis.parameters, channels, area) }
    : basis;
};

/**
 * Parameters of edges [R, K, group outputs and kernel places of all groups, P] as those of taps [inputs, K, outputs of a
 * group, P].
 */
const edgesPerTap = (basis: ExpressionBasis, p: Placed): ExpressionBasis => {
  const { form, width, groups } = p;
  const area = areaOf(p);
  const [rows = 1, functions = 1, outputs = 1, size = 0] = basis.parameters.shape;
  const each = form.channels / groups;
  const from = f32Data(basis.parameters);
  const data = new Float32Array(form.channels * area * functions * width * size);
  let to = 0;
  for (let c = 0; c < form.channels; c++) {
    const [row, group] = [rows === 1 ? 0 : c, Math.floor(c / each)];
    for (let place = 0; place < area; place++) {
      for (let k = 0; k < functions; k++) {
        for (let o = 0; o < width; o++, to += size) {
          const at = ((row * functions + k) * outputs + (group * width + o) * area + place) * size;
          data.set(from.subarray(at, at + size), to);
        }
      }
    }
  }
  return { ...basis, parameters: f32([form.channels * area, functions, width, size], data) };
};

/** A branch on channels, its outputs being those of all groups and kernel places, as one on taps of windows. */
const branchOfTaps = (branch: Branch, p: Placed): Branch => {
  const { form, width, groups } = p;
  const area = areaOf(p);
  const functions = branch.weights.shape[1]!;
  const outputs = groups * width * area;
  const each = form.channels / groups;
  const weights = new Float32Array(form.channels * area * functions * width);
  for (let c = 0; c < form.channels; c++) {
    const group = Math.floor(c / each);
    for (let k = 0; k < functions; k++) {
      const from = (c * functions + k) * outputs + group * width * area;
      for (let place = 0; place < area; place++) {
        const to = ((c * area + place) * functions + k) * width;
        for (let o = 0; o < width; o++) weights[to + o] = branch.weights.data[from + o * area + place]!;
      }
    }
  }
  const { basis } = branch;
  return {
    basis:
      basis._tag === 'expression' && basis.edges === true
        ? edgesPerTap(basis, p)
        : basisPerTap(basis, form.channels, area),
    weights: f32([form.channels * area, functions, width], weights),
  };
};

/** Constants that taps add only where they lie inside of the image: a function that is 1, read by one channel of each group. */
const constantBranch = (bias: Float64Array, p: Placed): Branch => {
  const { form, width, groups } = p;
  const area = areaOf(p);
  const each = form.channels / groups;
  const weights = new Float32Array(form.channels * area * width);
  for (let g = 0; g < groups; g++) {
    for (let place = 0; place < area; place++) {
      for (let o = 0; o < width; o++) {
        weights[(g * each * area + place) * width + o] = bias[(g * width + o) * area + place]!;
      }
    }
  }
  return {
    basis: { _tag: 'polynomial', family: 'chebyshev', degree: 0, squash: 'none', outer: 'identity' },
    weights: f32([form.channels * area, 1, width], weights),
  };
};

export interface WindowLayer {
  readonly value: ValueName;
  /** What is still to be added to each channel. */
  readonly bias: Float64Array;
}

/** The image that windows read. */
const imageOf = (l: Lifting, build: BuildCut, { form }: Placed): Checked<ValueName> =>
  valueOfSources(l, build, form.sources, [form.channels, form.height, form.width]);

/** Terms that read the same windows, as one layer. */
export const windowLayer = (
  l: Lifting,
  build: BuildCut,
  group: ReadonlyArray<Placed>,
  hint: string,
): Checked<WindowLayer> => {
  const first = group[0]!;
  const { form, groups, width } = first;
  const image = imageOf(l, build, first);
  if (E.isLeft(image)) return image;
  const area = areaOf(first);
  const zeros = group.some((p) => p.form.outside === 'zero');
  const made = raised(l.trace.table, termsOf(group), zeros ? 'alike' : 'any');
  if (E.isLeft(made)) return made;
  const { branches: named, inner, ofZero } = made.right;
  const plane = form.height * form.width;
  const operand =
    inner === undefined
      ? E.right(image.right)
      : applied(
          l,
          image.right,
          form.sources.map((_, s) => inner[Math.floor(s / plane)]!),
        );
  if (E.isLeft(operand)) return operand;
  const branches = named.branches.map((branch) => branchOfTaps(branch, first));
  const window = windowOf(first);
  const constants = named.bias;
  const padded = window.padding[0] > 0 || window.padding[1] > 0;
  const bias = new Float64Array(groups * width);
  if (padded && !zeros && constants.some((b) => b !== 0)) branches.push(constantBranch(constants, first));
  else for (let k = 0; k < constants.length; k++) bias[Math.floor(k / area)]! += constants[k]!;
  const outside = zeros && padded ? { outside: Math.fround(ofZero) } : {};
  return E.map((value: ValueName): WindowLayer => ({ value, bias }))(
    addOp(l, hint, { kind: 'kan', attrs: { branches, window, ...outside } }, [operand.right]),
  );
};

/** The mean over windows of single channels, if that is what a term is. */
export const meanPool = (
  l: Lifting,
  build: BuildCut,
  p: Placed,
  hint: string,
): Checked<ValueName> | undefined => {
  const { form, perGroup, term, factors, rows, vertical, horizontal } = p;
  const area = areaOf(p);
  if (form.groups !== form.channels || perGroup !== 1 || form.taps !== area || area === 1) return undefined;
  // Pools see nothing outside of an image.
  if (form.outside === 'zero') return undefined;
  const alike =
    form.fn.every((f) => f === form.fn[0]) &&
    form.factor.every((f) => f === form.factor[0]) &&
    vertical.dilation === 1 &&
    horizontal.dilation === 1;
  const weight = term.weights[rows[0]! * form.taps]! * form.factor[0]! * factors[0]!;
  const equal = factors.every((f, c) => {
    const row = term.weights.subarray(rows[c]! * form.taps, (rows[c]! + 1) * form.taps);
    return row.every((w) => w * form.factor[0]! * f === weight);
  });
  if (!alike || !equal) return undefined;
  const image = imageOf(l, build, p);
  if (E.isLeft(image)) return image;
  const values = applied(l, image.right, new Int32Array(form.sources.length).fill(form.fn[0]!));
  if (E.isLeft(values)) return values;
  const window = { ...windowOf(p), groups: 1 };
  const pooled = l.b.add(hint, { kind: 'pool', attrs: { reduce: 'mean', window } }, [values.right]);
  const scale = new Float64Array(form.channels).fill(weight * area);
  return E.right(affine(l, pooled, scale, new Float64Array(form.channels)));
};
