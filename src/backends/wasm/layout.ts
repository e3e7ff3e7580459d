/** Memory layout: a pure function from kernels to addresses. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../../diagnostics/index.js';
import type { ValueName } from '../../ir/graph.js';
import { sizeOf } from '../../ir/types.js';
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
  const fitting = Math.floor(CALL_BYTES / (inputStride + largest));
  const capacity = Math.max(1, Math.min(CALL_SAMPLES, fitting));
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
        pages,
      });
};
