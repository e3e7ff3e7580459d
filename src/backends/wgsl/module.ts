/** The text of the WGSL module: bindings, a way to every value, the functions of the kernels, entry points. */

import { showElement } from '../../ir/element.js';
import type { Value } from '../../ir/graph.js';
import { sizeOf } from '../../ir/types.js';
import { entryPoints, prefixOf, type Step } from './entries.js';
import { type Access, type Kernel, type LibraryName, type Part, type Text, u } from './kernel.js';
import { collectiveMemory, type Layout, sharing, type ValuePlace } from './layout.js';
import { librarySource } from './library.js';
import type { Plan } from './plan.js';

export interface Module {
  readonly source: Text;
  readonly steps: ReadonlyArray<Step>;
}

/** `about`: lines of the comment at the head. */
export const moduleOf = (about: ReadonlyArray<string>, plan: Plan, layout: Layout): Module => {
  const uses = new Set<LibraryName>(plan.kernels.flatMap((k) => k.parts.flatMap((p) => p.uses)));
  const library = librarySource(uses);
  const { source, steps } = entryPoints(plan.kernels, layout);
  const text = [
    about.map((line) => (line === '' ? '//' : `// ${oneLine(line)}`)).join('\n'),
    bindings(plan, layout),
    inputSource(plan.input),
    ...layout.values.map((v) => valueSource(v, layout)),
    library.head,
    ...plan.kernels.flatMap((kernel, k) =>
      kernel.parts.map((part, p) => partSource(layout, kernel, part, k, p)),
    ),
    source,
    library.tail,
  ];
  return { source: `${text.filter((t) => t !== '').join('\n')}\n`, steps };
};

/** Text of a comment on one line, whatever a name holds. */
const oneLine = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?');

const bindings = (plan: Plan, layout: Layout): Text => {
  const memory = [
    ...(layout.localWords > 0 ? [['local_words', layout.localWords] as const] : []),
    ...collectiveMemory(plan.kernels, layout.schedule, layout.size),
  ];
  return [
    '',
    'struct Run {',
    '  // Samples of this call, and those that the buffer of values has room for.',
    '  samples: u32,',
    '  capacity: u32,',
    ...(layout.schedule === 'fused'
      ? ['  // 1: values besides the results are stored too, for those who compare them.', '  trace: u32,']
      : []),
    '}',
    '',
    '@group(0) @binding(0) var<uniform> run: Run;',
    '@group(0) @binding(1) var<storage, read> constants: array<u32>;',
    '@group(0) @binding(2) var<storage, read> input: array<u32>;',
    '@group(0) @binding(3) var<storage, read_write> values: array<u32>;',
    ...(memory.length === 0 ? [] : ['']),
    ...memory.map(([name, words]) =>
      name === 'slice_sums'
        ? `var<workgroup> slice_sums: array<i32, ${words}>;`
        : `var<workgroup> ${name}: array<u32, ${words}>;`,
    ),
  ].join('\n');
};

const inputSource = ({ name, type }: Value): Text => {
  const size = sizeOf(type);
  const [at, head] = [
    `sample * ${u(size)} + k`,
    `\n// %${name}: ${showElement(type.element)}, ${size} elements`,
  ];
  return type.element.kind === 'f32'
    ? `${head}\nfn v_input(sample: u32, k: u32) -> u32 {\n  return input[${at}];\n}`
    : `${head}, four to a word\nfn v_input(sample: u32, k: u32) -> u32 {\n  let at = ${at};\n  return extractBits(input[at >> 2u], 8u * (at & 3u), 8u);\n}`;
};

/** What values are called: names of the IR hold characters that WGSL has not. */
const namesOf = (layout: Layout): ReadonlyMap<string, Text> =>
  new Map(layout.values.map((v, k) => [v.name, `v${k}`]));

const valueSource = (v: ValuePlace, layout: Layout): Text => {
  const name = namesOf(layout).get(v.name)!;
  const stored = `values[run.capacity * ${u(v.start)} + sample * ${u(v.length)} + k]`;
  const fused = layout.schedule === 'fused';
  const place = v.local === undefined ? stored : `local_words[${u(v.local)} + k]`;
  const keep =
    !fused || v.local === undefined
      ? []
      : [v.kept ? `  ${stored} = word;` : `  if (run.trace == 1u) { ${stored} = word; }`];
  // A value that nothing reads again is a result, or of no interest but to those who compare.
  const store =
    fused && v.local === undefined && !v.kept
      ? [`  if (run.trace == 1u) { ${stored} = word; }`]
      : [`  ${place} = word;`];
  return [
    '',
    `// %${v.name}: ${v.storage}, ${v.length} elements`,
    `fn ${name}(sample: u32, k: u32) -> u32 {`,
    `  return ${place};`,
    '}',
    `fn set_${name}(sample: u32, k: u32, word: u32) {`,
    ...store,
    ...keep,
    '}',
  ].join('\n');
};

const partSource = (layout: Layout, kernel: Kernel, part: Part, k: number, p: number): Text => {
  const names = namesOf(layout);
  const nameOf = (value: string): Text => names.get(value) ?? 'v_input';
  const { at } = layout.places[k]![p]!;
  const prefix = prefixOf(k, p, kernel.parts.length);
  const access: Access = {
    word: (operand, index) => `${nameOf(kernel.operands[operand]!)}(sample, ${index})`,
    own: (index) => `${nameOf(kernel.name)}(sample, ${index})`,
    store: (index, word) => `set_${nameOf(kernel.name)}(sample, ${index}, ${word});`,
    section: (s) => u(at + part.words.at[s]!),
    prefix,
  };
  const { op, form, inputs, outputs } = kernel.summary;
  const operands = kernel.operands.map((o) => `%${o}`).join(', ');
  const indent = (lines: ReadonlyArray<Text>): ReadonlyArray<Text> => lines.map((line) => `  ${line}`);
  const comment = `\n// %${kernel.name} = ${op} ${operands}: ${inputs} to ${outputs}, ${form}`;
  const own = part.form;
  switch (own.kind) {
    case 'each':
      return [comment, `fn ${prefix}(sample: u32, item: u32) {`, ...indent(own.body(access)), '}'].join('\n');
    case 'together':
      return [
        comment,
        `fn ${prefix}(sample: u32, part: u32, lane: u32) {`,
        ...indent(own.body(access, layout.size)),
        '}',
      ].join('\n');
    case 'sum': {
      return [
        comment,
        `fn ${prefix}_sums(sample: u32, item: u32, slice: u32) -> array<i32, ${own.width}> {`,
        `  var sums = array<i32, ${own.width}>();`,
        ...indent(own.partial(access, sharing(layout.schedule, layout.size, own).slices)),
        '  return sums;',
        '}',
        `fn ${prefix}_store(sample: u32, item: u32, sums: array<i32, ${own.width}>) {`,
        ...indent(own.finish(access)),
        '}',
      ].join('\n');
    }
  }
};
