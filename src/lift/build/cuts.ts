/** Cuts that are no sums: inputs, norms, products, pools, softmax. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { type Checked, fail } from '../../diagnostics/index.js';
import { constant } from '../../ir/constant.js';
import { uint } from '../../ir/element.js';
import { floatType } from '../../ir/types.js';
import { windowOutput } from '../../ir/window.js';
import type { TensorProgram } from '../../tensor/program.js';
import type { Cut, Definition, Varying } from '../traced.js';
import { counting, inPlaces, type Layout, layoutOf } from './layout.js';
import { nodeOf } from './same.js';
import { type Built, firstSample, flattened, type Lifting, reshaped } from './state.js';
import { type BuildCut, valueOfElements } from './values.js';

type Of<K extends Definition['kind']> = Extract<Definition, { readonly kind: K }>;

/** The shape of one sample; that of the image which a flat input is made into at once, if it is. */
const sampleShape = ({ nodes }: TensorProgram, cut: Cut): ReadonlyArray<number> => {
  const own = nodes[cut.value]!.type.shape.slice(1);
  const takers = nodes.filter((n) => n.operands.includes(cut.value));
  const images = takers.filter((n) => n.op.kind === 'reshape' && n.type.shape.length === 4);
  const [first] = images;
  if (own.length === 3) return own;
  const size = own.reduce((n, d) => n * d, 1);
  const image = first?.type.shape.slice(1);
  const all =
    image !== undefined &&
    images.length === takers.length &&
    images.every((n) => n.type.shape.slice(1).every((d, k) => d === image[k])) &&
    image.reduce((n, d) => n * d, 1) === size;
  return all ? image : [size];
};

export const buildInput = (l: Lifting, cut: Cut): Checked<Built> => {
  const shape = sampleShape(l.trace.program, cut);
  const name = l.b.input('x', floatType(shape));
  return E.right({ name, position: counting(shape.reduce((n, d) => n * d, 1)) });
};

/** How many groups there are, and for each element the number of its own, in order of first appearance. */
const numbered = (group: Int32Array, elements: Int32Array): { count: number; of: Int32Array } => {
  const numbers = new Map<number, number>();
  const of = elements.map((e) => {
    const known = numbers.get(group[e]!);
    if (known !== undefined) return known;
    numbers.set(group[e]!, numbers.size);
    return numbers.size - 1;
  });
  return { count: numbers.size, of };
};

/** Groups as channels of a value of their own: [groups, elements of a group, 1]. */
const byGroups = (of: Int32Array, count: number): Layout => {
  const size = of.length / count;
  const next = new Int32Array(count);
  return { position: of.map((g) => g * size + next[g]!++), shape: [count, size, 1] };
};

/** Whether each group is a channel of the layout. */
const areChannels = ({ position, shape }: Layout, of: Int32Array, count: number): boolean => {
  if (shape.length !== 3 || shape[0] !== count) return false;
  const inner = position.length / count;
  const owner = new Int32Array(count).fill(-1);
  return of.every((g, k) => {
    const c = Math.floor(position[k]! / inner);
    if (owner[c] === -1) owner[c] = g;
    return owner[c] === g;
  });
};

/** Groups up to which each has a norm of its own, side by side. */
const MOST_NORMS = 8;

/** A norm for each group, and the results one after the other. */
const severalNorms = (
  l: Lifting,
  build: BuildCut,
  operand: Varying,
  elements: Int32Array,
  of: Int32Array,
  count: number,
  epsilon: number,
): Checked<Built> => {
  const { position } = byGroups(of, count);
  const order = inPlaces(elements, position);
  const size = elements.length / count;
  const attrs = { over: 'sample', epsilon, scale: 1, shift: 0 } as const;
  return pipe(
    Array.from({ length: count }, (_, g) => order.subarray(g * size, (g + 1) * size)),
    E.traverseArray((part) =>
      pipe(
        valueOfElements(l, build, operand, part, [size]),
        E.map((value) => l.b.add('norm', { kind: 'norm', attrs }, [value])),
      ),
    ),
    E.map((norms): Built => ({ name: l.b.add('norms', { kind: 'concat', attrs: {} }, norms), position })),
  );
};

export const buildStandardize = (
  l: Lifting,
  build: BuildCut,
  cut: Cut,
  { operand, group, epsilon }: Of<'standardize'>,
): Checked<Built> => {
  const elements = firstSample(cut);
  const { count, of } = numbered(group, elements);
  const natural = layoutOf(l, build, [operand], elements);
  if (E.isLeft(natural)) return natural;
  const channels = count > 1 && areChannels(natural.right, of, count);
  if (count > 1 && count <= MOST_NORMS && !channels)
    return severalNorms(l, build, operand, elements, of, count, epsilon);
  const layout = count === 1 || channels ? natural.right : byGroups(of, count);
  const { position, shape } = layout;
  return pipe(
    valueOfElements(l, build, operand, inPlaces(elements, position), shape),
    E.map((value): Built => {
      const over = count === 1 ? 'sample' : 'channel';
      const attrs = { over, epsilon, scale: 1, shift: 0 } as const;
      const name = l.b.add('norm', { kind: 'norm', attrs }, [value]);
      return layout === natural.right ? { name, position } : { name, position, natural: natural.right };
    }),
  );
};

export const buildProduct = (
  l: Lifting,
  build: BuildCut,
  cut: Cut,
  { left, right }: Of<'product'>,
): Checked<Built> => {
  const elements = firstSample(cut);
  const layout = layoutOf(l, build, [left, right], elements);
  if (E.isLeft(layout)) return layout;
  const { position, shape } = layout.right;
  const order = inPlaces(elements, position);
  const n = elements.length;
  const index = (from: number) =>
    constant(
      uint(32),
      [n],
      Uint32Array.from({ length: n }, (_, k) => from + k),
    );
  return pipe(
    E.Do,
    E.bind('a', () => valueOfElements(l, build, left, order, [n])),
    E.bind('b', () => valueOfElements(l, build, right, order, [n])),
    E.map(({ a, b }): Built => {
      const both = l.b.add('pair', { kind: 'concat', attrs: {} }, [flattened(l, a), flattened(l, b)]);
      const attrs = { left: index(0), right: index(n) };
      const product = l.b.add('product', { kind: 'multiply', attrs }, [both]);
      return { name: reshaped(l, product, shape), position };
    }),
  );
};

/** Two numbers for height and width; one spatial dimension is the width of an image of height 1. */
const pair = (list: ReadonlyArray<number>, missing: number): readonly [number, number] =>
  list.length === 1 ? [missing, list[0]!] : [list[0]!, list[1]!];

export const buildPool = (
  l: Lifting,
  build: BuildCut,
  cut: Cut,
  { operand, shape, windows }: Of<'pool'>,
): Checked<Built> => {
  const spatial = shape.slice(2);
  const { origin, type } = nodeOf(l, cut);
  const [height, width] = pair(spatial, 1);
  const window = {
    kernel: pair(windows.kernel, 1),
    stride: pair(windows.stride, 1),
    padding: pair(windows.before, 0),
    dilation: pair(windows.dilation, 1),
    groups: 1,
  };
  const out = windowOutput(window, height, width);
  const wanted = pair(type.shape.slice(2), 1);
  if (spatial.length > 2 || out === undefined || out[0] !== wanted[0] || out[1] !== wanted[1]) {
    return fail('K0223', `${origin.op} '${origin.node}' takes the largest of windows that no pooling has`, {
      place: { op: origin.node },
      expected: 'one or two spatial dimensions, equal padding on both sides, and no rounding up',
      hint: 'Pad the image in the model, or export with ceil_mode off.',
    });
  }
  const size = operand.source.length / shape[0]!;
  return pipe(
    valueOfElements(l, build, operand, counting(size), [shape[1]!, height, width]),
    E.map((image): Built => {
      const name = l.b.add('max', { kind: 'pool', attrs: { reduce: 'max', window } }, [image]);
      return { name, position: counting(shape[1]! * out[0] * out[1]) };
    }),
  );
};

export const buildSoftmax = (
  l: Lifting,
  build: BuildCut,
  cut: Cut,
  { operand, group, log }: Of<'softmax'>,
): Checked<Built> => {
  const elements = firstSample(cut);
  const { origin } = nodeOf(l, cut);
  if (numbered(group, elements).count > 1) {
    return fail('K0223', `${origin.op} '${origin.node}' takes several softmaxes at once`, {
      place: { op: origin.node },
      expected: 'one over all results',
      hint: `--outputs with the name of its input gives the scores before it.`,
    });
  }
  return pipe(
    valueOfElements(l, build, operand, elements, [elements.length]),
    E.map((scores): Built => {
      const name = l.b.add('softmax', { kind: 'softmax', attrs: { log } }, [scores]);
      return { name, position: counting(elements.length) };
    }),
  );
};
