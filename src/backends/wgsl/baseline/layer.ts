/**
 * A KAN layer as it was trained, in floats: what tables are compared with.
 *
 * A workgroup computes 64 outputs of a sample. It takes 64 inputs at a time: each invocation evaluates the p + 1 splines
 * that its input meets, by the Cox-de Boor recursion, and the base activation; then each adds the products of all of
 * them for its output. No basis value is computed twice in a layer of up to 64 outputs, and none that is 0 is multiplied:
 * a baseline that computed all functions, or the recursion anew for each edge, would be easier to beat.
 */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../../../diagnostics/index.js';
import type { Branch } from '../../../ir/basis.js';
import type { KanAttrs } from '../../../ir/ops/kan.js';
import type { ValueType } from '../../../ir/types.js';
import type { Activation } from '../../../numeric/activations.js';
import { type Access, constantAt, i, type Part, type Text, u, unsigned } from '../kernel.js';
import { floatBits, type Section, wordsOf } from '../words.js';

const real = (word: Text): Text => `bitcast<f32>(${word})`;

/** Activations that WGSL has words for. */
const ACTIVATION_TEXT: Partial<Record<Activation, Text>> = {
  silu: 'x / (1.0 + exp(-x))',
  sigmoid: '1.0 / (1.0 + exp(-x))',
  tanh: 'tanh(x)',
  relu: 'max(x, 0.0)',
  leaky_relu: 'select(x, 0.01 * x, x < 0.0)',
  gelu_tanh: '0.5 * x * (1.0 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))',
  identity: 'x',
  zero: '0.0',
};

/** How a branch is computed: how many words it leaves for each input, and how these are made and used. */
interface BranchText {
  readonly words: number;
  readonly sections: ReadonlyArray<Section>;
  /** Statements that put its words at `own`, from `x` of input `mine`. */
  readonly expand: (access: Access, section: number, own: Text) => ReadonlyArray<Text>;
  /** Statements that add input `first + t` to `sum`, from its words at `own`. */
  readonly contract: (access: Access, section: number, own: Text) => ReadonlyArray<Text>;
}

export const floatLayer = (
  a: KanAttrs,
  operand: ValueType,
  type: ValueType,
): Checked<ReadonlyArray<Part>> => {
  if (a.window !== undefined) return unsupported('layers over windows');
  const [inputs, outputs] = [operand.shape[0]!, type.shape[0]!];
  const branches: BranchText[] = [];
  for (const branch of a.branches) {
    const made = branchText(branch, outputs);
    if (E.isLeft(made)) return made;
    branches.push(made.right);
  }
  const sections: Section[] = a.bias === undefined ? [] : [floatBits(a.bias.data)];
  let width = 0;
  const placed = branches.map((branch) => {
    const at = { branch, section: sections.length, word: width };
    sections.push(...branch.sections);
    width += branch.words;
    return at;
  });
  const body = (access: Access, size: number): ReadonlyArray<Text> => {
    const own = (index: Text, word: number): Text => `${index} * ${u(width)} + ${u(word)}`;
    const indent = (lines: ReadonlyArray<Text>): ReadonlyArray<Text> => lines.map((line) => `    ${line}`);
    return [
      `let output = part * ${u(size)} + lane;`,
      'var sum = 0.0;',
      ...(a.bias === undefined
        ? []
        : [`if (output < ${u(outputs)}) { sum = ${real(constantAt(`${access.section(0)} + output`))}; }`]),
      `for (var first = 0u; first < ${u(inputs)}; first += ${u(size)}) {`,
      '  let mine = first + lane;',
      `  if (mine < ${u(inputs)}) {`,
      `    let x = ${real(access.word(0, 'mine'))};`,
      ...placed.flatMap(({ branch, section, word }) =>
        indent(branch.expand(access, section, own('lane', word))),
      ),
      '  }',
      '  workgroupBarrier();',
      `  if (output < ${u(outputs)}) {`,
      `    let count = min(${u(size)}, ${u(inputs)} - first);`,
      '    for (var t = 0u; t < count; t++) {',
      ...placed.flatMap(({ branch, section, word }) =>
        indent(branch.contract(access, section, own('t', word)).map((line) => `  ${line}`)),
      ),
      '    }',
      '  }',
      '  workgroupBarrier();',
      '}',
      `if (output < ${u(outputs)}) { ${access.store('output', unsigned('sum'))} }`,
    ];
  };
  const form = {
    kind: 'together',
    groups: Math.ceil(outputs / 64),
    memory: (size: number) => ({ basis: size * width }),
    body,
  } as const;
  return E.right([{ form, words: wordsOf(sections), uses: [] }]);
};

export const unsupported = (what: string): Checked<never> =>
  fail('K0602', `the float baseline has no ${what}`, {
    expected: 'layers of B-splines and base activations on features',
    hint: 'Leave out --float-baseline.',
  });

const branchText = (branch: Branch, outputs: number): Checked<BranchText> => {
  if (branch.from !== undefined) return unsupported('branches that read a part of their inputs');
  const { basis } = branch;
  const weights = floatBits(branch.weights.data);
  if (basis._tag === 'base') {
    const activation = ACTIVATION_TEXT[basis.activation];
    if (activation === undefined) return unsupported(`activation ${basis.activation}`);
    return E.right({
      words: 1,
      sections: [weights],
      expand: (_, __, own) => [`basis[${own}] = ${unsigned(activation)};`],
      contract: (access, section, own) => [
        `sum += ${real(constantAt(`${access.section(section)} + (first + t) * ${u(outputs)} + output`))} * ${real(`basis[${own}]`)};`,
      ],
    });
  }
  if (basis._tag === 'bspline' && basis.repeated !== undefined)
    return unsupported('splines on repeated knots');
  return basis._tag === 'bspline'
    ? E.right(splineText(basis.order, basis.knots.shape, floatBits(basis.knots.data), weights, outputs))
    : unsupported(`basis of kind ${basis._tag}`);
};

/** Words of an input: the first function that it meets, and p + 1 values from there on. */
const splineText = (
  order: number,
  [rows, count]: ReadonlyArray<number>,
  knots: Section,
  weights: Section,
  outputs: number,
): BranchText => {
  const functions = count! - order - 1;
  const met = Math.min(order + 1, functions);
  const each = Array.from({ length: met }, (_, j) => j);
  return {
    words: 1 + met,
    sections: [knots, weights],
    expand: (access, section, own) => {
      const row = rows === 1 ? access.section(section) : `${access.section(section)} + mine * ${u(count!)}`;
      const knot = (index: Text): Text => real(`constants[u32(i32(knots) + ${index})]`);
      return [
        `let knots = ${row};`,
        ...Array.from({ length: met }, (_, j) => `basis[${own} + ${u(1 + j)}] = 0u;`),
        `basis[${own}] = 0u;`,
        `if (x >= ${knot('0i')} && x < ${knot(i(count! - 1))}) {`,
        // The s with knot s <= x < knot s + 1.
        '  var low = 0i;',
        `  var high = ${i(count! - 1)};`,
        '  while (high - low > 1i) {',
        '    let middle = (low + high) / 2i;',
        `    if (x >= ${knot('middle')}) { low = middle; } else { high = middle; }`,
        '  }',
        ...recursion(order, count!, knot).map((line) => `  ${line}`),
        `  let start = clamp(low - ${i(order)}, 0i, ${i(functions - met)});`,
        `  basis[${own}] = u32(start);`,
        ...Array.from({ length: order + 1 }, (_, r) => {
          const index = `low - ${i(order - r)}`;
          return `  if (${index} >= 0i && ${index} < ${i(functions)}) { basis[${own} + 1u + u32(${index} - start)] = ${unsigned(`b${r}`)}; }`;
        }),
        '}',
      ];
    },
    contract: (access, section, own) => [
      `let row = ${access.section(section + 1)} + ((first + t) * ${u(functions)} + basis[${own}]) * ${u(outputs)} + output;`,
      ...each.map(
        (j) =>
          `sum += ${real(constantAt(`row + ${u(j * outputs)}`))} * ${real(`basis[${own} + ${u(1 + j)}]`)};`,
      ),
    ],
  };
};

/** b0 .. bp = B_{low-p}(x) .. B_{low}(x), degree by degree; as numeric/bspline.ts has it, with 0/0 as 0. */
const recursion = (order: number, count: number, knot: (index: Text) => Text): ReadonlyArray<Text> => {
  const lines = Array.from({ length: order + 1 }, (_, r) => `var b${r} = ${r === order ? '1.0' : '0.0'};`);
  for (let q = 1; q <= order; q++) {
    for (let r = order - q; r <= order; r++) {
      const k = `low - ${i(order - r)}`;
      lines.push('{', '  var value = 0.0;');
      if (r > order - q) {
        lines.push(
          `  if (${k} >= 0i && ${k} + ${i(q)} < ${i(count)}) {`,
          `    let from_knot = ${knot(k)};`,
          `    let width = ${knot(`${k} + ${i(q)}`)} - from_knot;`,
          `    if (width > 0.0) { value += (x - from_knot) / width * b${r}; }`,
          '  }',
        );
      }
      if (r < order) {
        lines.push(
          `  if (${k} + 1i >= 0i && ${k} + ${i(q + 1)} < ${i(count)}) {`,
          `    let to_knot = ${knot(`${k} + ${i(q + 1)}`)};`,
          `    let width = to_knot - ${knot(`${k} + 1i`)};`,
          `    if (width > 0.0) { value += (to_knot - x) / width * b${r + 1}; }`,
          '  }',
        );
      }
      lines.push(`  b${r} = value;`, '}');
    }
  }
  return lines;
};
