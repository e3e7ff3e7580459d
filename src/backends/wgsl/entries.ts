/** Entry points: how the functions of the kernels are called, and which dispatches a call of the program makes. */
import type { Kernel, Sum, Text } from './kernel.js';
import { u } from './kernel.js';
import { type Layout, sharing } from './layout.js';

/** One dispatch: ceil(samples * items / each) workgroups. */
export interface Step {
  readonly entry: string;
  /** The page of constants that it reads. */
  readonly page: number;
  /** Work items of one sample. */
  readonly items: number;
  /** Items of a workgroup. */
  readonly each: number;
}

/** Prefix of the functions of a part. */
export const prefixOf = (k: number, p: number, parts: number): Text => (parts === 1 ? `k${k}` : `k${k}_${p}`);

const PARAMETERS = [
  '  @builtin(local_invocation_index) lane: u32,',
  '  @builtin(workgroup_id) id: vec3<u32>,',
  '  @builtin(num_workgroups) count: vec3<u32>,',
];

/** Workgroups are counted along two axes, because one axis ends at 65535. */
const NUMBER = 'id.y * count.x + id.x';

export const entryPoints = (
  kernels: ReadonlyArray<Kernel>,
  layout: Layout,
): { readonly source: Text; readonly steps: ReadonlyArray<Step> } =>
  layout.schedule === 'fused' ? fused(kernels, layout) : layers(kernels, layout);

const entry = (name: Text, size: number, body: ReadonlyArray<Text>): Text =>
  [
    '',
    `@compute @workgroup_size(${size})`,
    `fn ${name}(`,
    ...PARAMETERS,
    ') {',
    ...body.map((line) => `  ${line}`),
    '}',
  ].join('\n');

/** Sums of slices, by invocations that follow one another for items that do: `first` is the item of lane 0. */
const addSlices = (prefix: Text, form: Sum, layout: Layout): ReadonlyArray<Text> => {
  const { lanes, slices } = sharing(layout.schedule, layout.size, form);
  const width = Array.from({ length: form.width }, (_, k) => k);
  return [
    'if (valid) {',
    `  let own = ${prefix}_sums(sample, item, lane / ${u(lanes)});`,
    ...width.map((k) => `  slice_sums[lane * ${u(form.width)} + ${u(k)}] = own[${k}];`),
    '}',
    'workgroupBarrier();',
    `if (valid && lane < ${u(lanes)}) {`,
    `  var sums = array<i32, ${form.width}>();`,
    `  for (var s = 0u; s < ${u(slices)}; s++) {`,
    `    let at = (s * ${u(lanes)} + lane) * ${u(form.width)};`,
    ...width.map((k) => `    sums[${k}] += slice_sums[at + ${u(k)}];`),
    '  }',
    `  ${prefix}_store(sample, item, sums);`,
    '}',
  ];
};

const layers = (kernels: ReadonlyArray<Kernel>, layout: Layout) => {
  const steps: Step[] = [];
  const texts = kernels.flatMap((kernel, k) =>
    kernel.parts.map(({ form }, p) => {
      const prefix = prefixOf(k, p, kernel.parts.length);
      const name = `run_${prefix}`;
      const { page } = layout.places[k]![p]!;
      const { size } = layout;
      if (form.kind === 'together') {
        steps.push({ entry: name, page, items: form.groups, each: 1 });
        return entry(name, size, [
          `let number = ${NUMBER};`,
          `if (number >= run.samples * ${u(form.groups)}) { return; }`,
          `${prefix}(number / ${u(form.groups)}, number % ${u(form.groups)}, lane);`,
        ]);
      }
      const slices = form.kind === 'sum' ? sharing('layers', size, form).slices : 1;
      const each = size / slices;
      steps.push({ entry: name, page, items: form.items, each });
      const lane = slices === 1 ? 'lane' : `lane % ${u(each)}`;
      const index = [
        `let index = (${NUMBER}) * ${u(each)} + ${lane};`,
        `let valid = index < run.samples * ${u(form.items)};`,
        `let sample = index / ${u(form.items)};`,
        `let item = index % ${u(form.items)};`,
      ];
      if (form.kind === 'each')
        return entry(name, size, [...index, `if (valid) { ${prefix}(sample, item); }`]);
      return entry(name, size, [
        ...index,
        ...(slices === 1
          ? [`if (valid) { ${prefix}_store(sample, item, ${prefix}_sums(sample, item, 0u)); }`]
          : addSlices(prefix, form, layout)),
      ]);
    }),
  );
  return { source: texts.join('\n'), steps };
};

/**
 * What the workgroup of a sample does for one kernel: the whole of a fused program is one after the other. `last`: nothing
 * reads what it stores.
 */
export const fusedBlock = (kernel: Kernel, k: number, last: boolean, layout: Layout): ReadonlyArray<Text> => {
  const { size } = layout;
  const { form } = kernel.parts[0]!;
  const prefix = prefixOf(k, 0, 1);
  // What a kernel stores is read by later ones; loops that share memory between their rounds end with a barrier.
  const block = (lines: ReadonlyArray<Text>, ended = false): ReadonlyArray<Text> => [
    `// %${kernel.name}`,
    ...lines,
    ...(last || ended ? [] : ['workgroupBarrier();']),
  ];
  const shared = (head: Text, rounds: number, lines: ReadonlyArray<Text>): ReadonlyArray<Text> => {
    const again = rounds > 1;
    const body = again ? [...lines, 'workgroupBarrier();'] : lines;
    return block([head, ...body.map((line) => `  ${line}`), '}'], again);
  };
  if (form.kind === 'each') {
    return block([
      `for (var item = lane; item < ${u(form.items)}; item += ${u(size)}) { ${prefix}(sample, item); }`,
    ]);
  }
  if (form.kind === 'together') {
    const call = `${prefix}(sample, part, lane);`;
    return shared(`for (var part = 0u; part < ${u(form.groups)}; part++) {`, form.groups, [call]);
  }
  const { lanes, slices } = sharing('fused', size, form);
  if (slices === 1) {
    const store = `${prefix}_store(sample, item, ${prefix}_sums(sample, item, 0u));`;
    return block([`for (var item = lane; item < ${u(form.items)}; item += ${u(size)}) { ${store} }`]);
  }
  const head = `for (var first = 0u; first < ${u(form.items)}; first += ${u(lanes)}) {`;
  return shared(head, Math.ceil(form.items / lanes), [
    `let item = first + lane % ${u(lanes)};`,
    `let valid = item < ${u(form.items)} && lane < ${u(lanes * slices)};`,
    ...addSlices(prefix, form, layout),
  ]);
};

/** An entry point of a workgroup for each sample. */
export const sampleEntry = (name: Text, { size }: Layout, body: ReadonlyArray<Text>): Text =>
  entry(name, size, [`let sample = ${NUMBER};`, 'if (sample >= run.samples) { return; }', ...body]);

const fused = (kernels: ReadonlyArray<Kernel>, layout: Layout) => {
  const body = kernels.flatMap((kernel, k) => fusedBlock(kernel, k, k === kernels.length - 1, layout));
  const source = sampleEntry('run_all', layout, body);
  return { source, steps: [{ entry: 'run_all', page: 0, items: 1, each: 1 }] };
};
