/** Where everything lies in the memory of a module. */
import type { Graph, ValueName } from '../../src/ir/graph.js';
import { innerOf, sizeOf, type ValueType } from '../../src/ir/types.js';
import type { Step } from './plan.js';
import { type Block, layoutOf } from './storage.js';

export interface Memory {
  /** Samples that one call takes. */
  readonly capacity: number;
  readonly input: number;
  readonly output: number;
  readonly pages: number;
  readonly blocks: ReadonlyMap<Block, number>;
  /** Addresses of all values but the input, in the frame of the first sample. */
  readonly values: ReadonlyMap<ValueName, number>;
  readonly scratch: number;
  /** The word of a frame that holds where the input of its sample lies. */
  readonly pointer: number;
  /** Samples that are computed together, and the bytes from the frame of one to that of the next. */
  readonly tile: number;
  readonly frame: number;
}

const PAGE = 65536;
/** As the artifacts have it: input and output of a call stay in the second-level cache. */
const CALL_BYTES = 128 * 1024;
const CALL_SAMPLES = 256;
/** Coefficients of a layer of features that do not fit the second-level cache are used for so many samples. */
const TILE = 16;
const LARGE = 256 * 1024;

/** Values take the memory of those that nothing reads any more. */
const placeValues = (
  graph: Graph,
  steps: ReadonlyArray<Step>,
  place: (bytes: number) => number,
): Map<ValueName, number> => {
  const lastUse = new Map<ValueName, number>();
  for (const [k, { operands }] of steps.entries()) for (const name of operands) lastUse.set(name, k);
  for (const name of graph.outputs) lastUse.set(name, steps.length);
  const values = new Map<ValueName, number>();
  const sizes = new Map<number, number>();
  const free: number[] = [];
  for (const [k, { result, type, operands }] of steps.entries()) {
    const needed = layoutOf(type).bytes;
    const fitting = free.filter((a) => sizes.get(a)! >= needed).sort((a, b) => sizes.get(a)! - sizes.get(b)!);
    const address = fitting[0] ?? place(needed);
    if (fitting[0] !== undefined) free.splice(free.indexOf(address), 1);
    else sizes.set(address, needed);
    values.set(result, address);
    for (const name of new Set(operands)) {
      const known = values.get(name);
      if (lastUse.get(name) === k && known !== undefined) free.push(known);
    }
  }
  return values;
};

export const memoryOf = (graph: Graph, steps: ReadonlyArray<Step>): Memory => {
  let next = 64;
  const place = (bytes: number): number => {
    const address = Math.ceil(next / 64) * 64;
    next = address + bytes;
    return address;
  };
  const input = graph.inputs[0]!;
  const features = sizeOf(input.type);
  const outputs = sizeOf(typeOfOutput(graph, steps));
  const capacity = Math.max(1, Math.min(CALL_SAMPLES, Math.floor(CALL_BYTES / (4 * (features + outputs)))));
  // Whole vectors are read at the end.
  const inputAt = place(4 * capacity * features + 64);
  const outputAt = place(4 * capacity * outputs);
  const tile = steps.some(({ kernel, type }) => kernel.weights > LARGE && innerOf(type) === 1) ? TILE : 1;
  const pointer = place(4);
  const values = placeValues(graph, steps, place);
  const scratch = place(Math.max(0, ...steps.map(({ kernel }) => kernel.scratch)) + 64);
  // Frames are no power of two apart, or the same vectors of all samples would fall into the same set of the cache.
  const frame = Math.ceil((next - pointer) / 64) * 64 + 64;
  next = pointer + tile * frame;
  const blocks = new Map<Block, number>();
  for (const { kernel } of steps) {
    for (const block of kernel.blocks) if (!blocks.has(block)) blocks.set(block, place(block.byteLength));
  }
  const pages = Math.ceil((next + 64) / PAGE);
  return { capacity, input: inputAt, output: outputAt, pages, values, blocks, scratch, pointer, tile, frame };
};

export const typeOfOutput = (graph: Graph, steps: ReadonlyArray<Step>): ValueType =>
  steps.find((s) => s.result === graph.outputs[0])!.type;
