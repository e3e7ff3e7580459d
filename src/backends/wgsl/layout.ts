/**
 * Where constants and values lie, and how the kernels are run: a pure function of the kernels.
 *
 * *Layers*: one dispatch for each part of a kernel, over all samples; values lie in one buffer.
 * *Fused*: one dispatch, a workgroup for each sample; values stay in the memory of the workgroup, and only results
 * leave it. For networks whose values fit there.
 *
 * Everything keeps to the limits that every WebGPU device has, but for constants of one kernel that cannot be split.
 */
import { InternalError } from '../../diagnostics/index.js';
import type { ValueName } from '../../ir/graph.js';
import { firstFit, type Places } from '../shared/first-fit.js';
import type { Kernel, Part } from './kernel.js';
import type { Plan } from './plan.js';

export type Schedule = 'fused' | 'layers';

/**
 * Invocations of a workgroup: one or two of the bundles in which GPUs run them. More would shorten the sums of a single
 * sample, but every barrier waits for all: on SwiftShader, 256 take six times as long as 64.
 */
const SIZE = 64;

/** Bytes that every device binds as one storage buffer. */
export const BINDING_BYTES = 2 ** 27;
/** Memory of a workgroup, in words, that every device has. */
const WORKGROUP_WORDS = 16384 / 4;
/** Bindings of storage buffers start at multiples of this many words. */
const PAGE_ALIGN = 64;

/** A run of constants that is bound at once, in words of model.bin. */
export interface Page {
  readonly start: number;
  readonly length: number;
}

export interface ValuePlace {
  readonly name: ValueName;
  readonly storage: Kernel['storage'];
  /** Elements of one sample. */
  readonly length: number;
  /** Words of one sample of all values before it: with room for C samples it starts at C times this. */
  readonly start: number;
  /** Where it lies in the memory of the workgroup; undefined where it does not. */
  readonly local: number | undefined;
  /** Whether it is a result, which is always stored. */
  readonly kept: boolean;
}

export interface Layout {
  readonly schedule: Schedule;
  /** Invocations of a workgroup. */
  readonly size: number;
  readonly pages: ReadonlyArray<Page>;
  /** By kernel and part: the page, and where the constants of the part start in it. */
  readonly places: ReadonlyArray<ReadonlyArray<{ readonly page: number; readonly at: number }>>;
  /** Results first. */
  readonly values: ReadonlyArray<ValuePlace>;
  /** Words of the values in the memory of the workgroup. */
  readonly localWords: number;
}

export const layoutOf = (plan: Plan, wanted: Schedule | 'auto', limit: number): Layout => {
  const { pages, places } = paginate(plan.kernels, limit);
  const local = localPlaces(plan);
  const memory = local.length + collectiveWords(plan.kernels);
  const fits =
    pages.length <= 1 && memory <= WORKGROUP_WORDS && plan.kernels.every((k) => k.parts.length === 1);
  const schedule = wanted === 'layers' || !fits ? 'layers' : 'fused';
  const results = new Set([plan.raw.name, plan.output.name]);
  const ordered = [
    ...plan.kernels.filter((k) => results.has(k.name)),
    ...plan.kernels.filter((k) => !results.has(k.name)),
  ];
  let start = 0;
  const values = ordered.map((k): ValuePlace => {
    const place = {
      name: k.name,
      storage: k.storage,
      length: k.length,
      start,
      local: schedule === 'fused' ? local.at.get(k.name) : undefined,
      kept: results.has(k.name),
    };
    start += k.length;
    return place;
  });
  return {
    schedule,
    size: SIZE,
    pages,
    places,
    values,
    localWords: schedule === 'fused' ? local.length : 0,
  };
};

/** Constants one after another; a page ends where the next part would not fit the limit any more. */
const paginate = (kernels: ReadonlyArray<Kernel>, limit: number): Pick<Layout, 'pages' | 'places'> => {
  const pages: { start: number; length: number }[] = [];
  const places = kernels.map((kernel) =>
    kernel.parts.map(({ words }: Part) => {
      // Splitting is for this; what cannot be split may need more than every device has, and the loader asks for it.
      if (kernel.parts.length > 1 && words.length > limit) {
        throw new InternalError(`a part of %${kernel.name} has ${words.length} words, more than ${limit}`);
      }
      const last = pages[pages.length - 1];
      if (last === undefined) pages.push({ start: 0, length: 0 });
      else if (last.length > 0 && last.length + words.length > limit) {
        const start = Math.ceil((last.start + last.length) / PAGE_ALIGN) * PAGE_ALIGN;
        pages.push({ start, length: 0 });
      }
      const page = pages[pages.length - 1]!;
      const at = page.length;
      page.length += words.length;
      return { page: pages.length - 1, at };
    }),
  );
  return { pages, places };
};

/** Values that other kernels read, in memory that is used again after the last of them. */
const localPlaces = ({ kernels }: Plan): Places<ValueName> => {
  const lastUse = new Map<ValueName, number>();
  for (const [k, kernel] of kernels.entries()) for (const name of kernel.operands) lastUse.set(name, k);
  return firstFit(
    kernels.flatMap(({ name, length }, from) => {
      const to = lastUse.get(name);
      return to === undefined ? [] : [{ key: name, length, from, to }];
    }),
  );
};

const floorPower = (n: number): number => 2 ** (31 - Math.clz32(Math.max(1, n)));

/** How the invocations of a workgroup share a sum: `lanes` items at a time, each by `slices`. */
export const sharing = (
  schedule: Schedule,
  size: number,
  { items, inputs }: { readonly items: number; readonly inputs: number },
): { readonly lanes: number; readonly slices: number } => {
  if (schedule === 'layers') {
    // Where there are many items there is work enough.
    const slices = items >= 2048 ? 1 : Math.min(16, floorPower(inputs / 32));
    return { lanes: size / slices, slices };
  }
  const lanes = Math.min(size, 2 * floorPower(Math.max(1, items - 1)));
  const held = items === 1 ? 1 : lanes;
  return { lanes: held, slices: Math.min(size / held, floorPower(inputs / 4)) };
};

/** Words of workgroup memory for sums of slices and for norms, by the name of the array. */
export const collectiveMemory = (
  kernels: ReadonlyArray<Kernel>,
  schedule: Schedule,
  size: number,
): ReadonlyMap<string, number> => {
  const memory = new Map<string, number>();
  const need = (name: string, words: number): void => {
    memory.set(name, Math.max(words, memory.get(name) ?? 0));
  };
  for (const { form } of kernels.flatMap((k) => k.parts)) {
    if (form.kind === 'together') {
      for (const [name, words] of Object.entries(form.memory(size))) need(name, words);
    }
    if (form.kind === 'sum' && sharing(schedule, size, form).slices > 1)
      need('slice_sums', size * form.width);
  }
  return memory;
};

const collectiveWords = (kernels: ReadonlyArray<Kernel>): number =>
  [...collectiveMemory(kernels, 'fused', SIZE).values()].reduce((a, b) => a + b, 0);
