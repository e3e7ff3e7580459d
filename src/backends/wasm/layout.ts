/** Memory layout: a pure function from kernels to addresses. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, invariant } from '../../diagnostics/index.js';
import type { ValueName } from '../../ir/graph.js';
import { sizeOf } from '../../ir/types.js';
import type { Kernel, KernelParts } from './kernel.js';
import type { Plan } from './plan.js';
import { roundUp, type Storage, storageBytes, storageOf } from './storage.js';

export interface Buffer {
  readonly name: ValueName;
  readonly address: number;
  readonly storage: Storage;
  readonly length: number;
  /** Element (channel c, position p) lies at p * channels + c. */
  readonly channels: number;
}

/** A layer that runs in parts in calls of many samples: where these samples leave its codes and its accumulators. */
export interface Cut {
  /** Its number among the kernels. */
  readonly kernel: number;
  readonly parts: KernelParts;
  /** The buffers of one sample that it reads and writes. */
  readonly source: number;
  readonly target: number;
  /** Codes of the samples, unless these are the input itself: `bytes` of each, a multiple of 16. */
  readonly codes: { readonly address: number; readonly stride: number; readonly bytes: number } | undefined;
  /** Accumulators, [tile, sample, output of the tile]; bytes from one tile to the next. */
  readonly sums: { readonly address: number; readonly stride: number };
}

export interface Layout {
  /** Samples that one call takes. */
  readonly capacity: number;
  /** Where the samples of a call start, and how many bytes apart they are. */
  readonly input: { readonly address: number; readonly stride: number };
  /** Where results start: four bytes per element, f32 or i32. */
  readonly output: { readonly address: number; readonly stride: number };
  readonly raw: { readonly stride: number };
  /** Every materialised value of the current sample, in the order of computation. */
  readonly buffers: ReadonlyArray<Buffer>;
  /** Addresses of the blocks of each kernel. */
  readonly blocks: ReadonlyArray<ReadonlyArray<number>>;
  /** Address of the own memory of each kernel. */
  readonly scratch: ReadonlyArray<number>;
  readonly cuts: ReadonlyArray<Cut>;
  /** Pages of 64 KiB. */
  readonly pages: number;
}

/** One address is never used, so that 0 stays recognisable as a mistake. */
const FIRST = 64;
/** Vectors are read and written whole: up to 63 bytes over the end of an array. */
const MARGIN = 64;
/** Input and output of a call stay in the second-level cache beside the tables. */
const CALL_BYTES = 128 * 1024;
const CALL_SAMPLES = 256;
/** With layers that are cut, whose tables are read once for all samples of a call: also what these samples leave. */
const CUT_SHARE = 1 / 4;
const CUT_SAMPLES = 1024;
const PAGE = 65536;
const MAX_PAGES = 65535;

export const layoutOf = (plan: Plan): Checked<Layout> => {
  let next = FIRST;
  const place = (bytes: number, align: number): number => {
    const address = roundUp(next, align);
    next = address + bytes;
    return address;
  };
  const inputStride = sizeOf(plan.input.type) * storageBytes(storageOf(plan.input.type.element));
  const outputStride = sizeOf(plan.output.type) * 4;
  const rawStride = sizeOf(plan.raw.type) * 4;
  const largest = Math.max(outputStride, rawStride);
  const cut = cutsOf(plan);
  const capacity = capacityOf(cut, inputStride + largest);
  const input = place(capacity * inputStride + MARGIN, 64);
  const output = place(capacity * largest + MARGIN, 64);
  const buffers = plan.kernels.map((k): Buffer => {
    const bytes = Math.max(k.length, k.reach) * storageBytes(k.result) + MARGIN;
    return {
      name: k.name,
      address: place(bytes, 64),
      storage: k.result,
      length: k.length,
      channels: k.channels,
    };
  });
  const scratch = plan.kernels.map((k) => (k.scratch === undefined ? next : place(k.scratch + MARGIN, 64)));
  const blocks = plan.kernels.map((k) => k.blocks.map((b) => place(b.length, b.align)));
  const bufferAddress = (name: ValueName): number => buffers.find((b) => b.name === name)?.address ?? 0;
  const cuts = cut.map(({ kernel, parts, codes }): Cut => {
    const { name, operands } = plan.kernels[kernel]!;
    const stride = capacity * parts.tileBytes;
    return {
      kernel,
      parts,
      source: bufferAddress(operands[0]!),
      target: bufferAddress(name),
      codes: codes && { ...codes, address: place(capacity * codes.stride + MARGIN, 64) },
      sums: { address: place(parts.tiles * stride, 64), stride },
    };
  });
  // Kernels may load a whole vector at the end of the last block.
  const pages = Math.ceil((next + MARGIN) / PAGE);
  return pages > MAX_PAGES
    ? fail('K0602', `the model needs ${Math.round((pages * PAGE) / 2 ** 20)} MiB of memory`, {
        expected: 'less than 4 GiB, which is all that WASM can address',
        hint: 'Lower the bits of the activations, or choose the basis form.',
      })
    : E.right({
        capacity,
        input: { address: input, stride: inputStride },
        output: { address: output, stride: outputStride },
        raw: { stride: rawStride },
        buffers,
        blocks,
        scratch,
        cuts,
        pages,
      });
};

export const bufferOf = (layout: Layout, name: ValueName): Buffer => {
  const buffer = layout.buffers.find((b) => b.name === name);
  invariant(buffer !== undefined, `%${name} has no buffer`);
  return buffer;
};

interface CutSize {
  readonly kernel: number;
  readonly parts: KernelParts;
  readonly codes: { readonly stride: number; readonly bytes: number } | undefined;
}

/** Samples of a call, whose input and result take `ends` bytes each. */
const capacityOf = (cut: ReadonlyArray<CutSize>, ends: number): number => {
  const kept = cut.reduce(
    (n, { codes, parts }) => n + (codes?.stride ?? 0) + parts.tiles * parts.tileBytes,
    0,
  );
  const tables = cut.reduce((n, { parts }) => n + parts.tableBytes, 0);
  const [bytes, most] = cut.length === 0 ? [CALL_BYTES, CALL_SAMPLES] : [CUT_SHARE * tables, CUT_SAMPLES];
  return Math.max(1, Math.min(most, Math.floor(bytes / (ends + kept))));
};

/** The kernels that have parts and that no later kernel looks past, to a value that is made before. */
const cutsOf = ({ kernels, input }: Plan): ReadonlyArray<CutSize> =>
  kernels.flatMap(({ parts, operands }, kernel): ReadonlyArray<CutSize> => {
    const made = new Map(kernels.slice(0, kernel).map((k): readonly [ValueName, Kernel] => [k.name, k]));
    if (parts === undefined || kernels.slice(kernel + 1).some((k) => k.operands.some((o) => made.has(o))))
      return [];
    const source = made.get(operands[0]!);
    if (source === undefined) return operands[0] === input.name ? [{ kernel, parts, codes: undefined }] : [];
    const bytes = roundUp(source.reach * storageBytes(source.result), 16);
    // A part reads some codes of every sample: at multiples of 4096 bytes they would share a few sets of a cache.
    return [{ kernel, parts, codes: { bytes, stride: bytes % 1024 === 0 ? bytes + 64 : bytes } }];
  });
