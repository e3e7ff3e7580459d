/**
 * From a program to what an HLS project holds: which stages are hardware and which stay with the host (quantizing
 * floats), the architecture, and estimates of its latency.
 */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../../diagnostics/index.js';
import type { Program } from '../cpp/program.js';
import type { Slot, Stage } from '../cpp/stage.js';
import { type EdgeTables, edgeTablesOf } from './edge-tables.js';
import type { Architecture, HlsOptions } from './options.js';

export interface Design {
  readonly name: string;
  readonly program: Program;
  readonly architecture: Architecture;
  readonly interface: 'vector' | 'axis';
  readonly part: string;
  /** Nanoseconds. */
  readonly clock: number;
  /** Outputs that a layer adds in one clock. */
  readonly lanes: (outputs: number) => number;
  /** Stages that prepare the input in software: floats become codes there. */
  readonly host: ReadonlyArray<Stage>;
  readonly hardware: ReadonlyArray<Stage>;
  /** What comes into the hardware. */
  readonly inputs: ReadonlyArray<Slot>;
  /** The truth tables of the layers of an unrolled design, by stage. */
  readonly tables: ReadonlyMap<string, EdgeTables>;
  readonly version: string;
}

/** Above so many LUTs, as they are estimated, `auto` folds. */
const UNROLLED_LIMIT = 20_000;

/** The smallest divisor of `outputs` that adds a row in at most `reuse` clocks. */
export const lanesFor =
  (reuse: number) =>
  (outputs: number): number => {
    for (let lanes = Math.ceil(outputs / reuse); lanes < outputs; lanes++)
      if (outputs % lanes === 0) return lanes;
    return outputs;
  };

/** Stages that read floats from outside, and what they give to the others. */
const split = (
  program: Program,
): Pick<Design, 'host' | 'hardware' | 'inputs'> & { readonly floats: ReadonlySet<string> } => {
  if (program.inputSlot.type !== 'f32') {
    return { host: [], hardware: program.stages, inputs: [program.inputSlot], floats: new Set() };
  }
  const floats = new Set([program.inputSlot.name]);
  const host: Stage[] = [];
  const hardware: Stage[] = [];
  for (const stage of program.stages) {
    if (!stage.inputs.every((slot) => floats.has(slot.name))) {
      hardware.push(stage);
      continue;
    }
    host.push(stage);
    if (stage.output.type === 'f32') floats.add(stage.output.name);
  }
  const read = new Set(hardware.flatMap((s) => s.inputs.map((slot) => slot.name)));
  const inputs = host.map((s) => s.output).filter((slot) => slot.type !== 'f32' && read.has(slot.name));
  return { host, hardware, inputs, floats };
};

/** Ops of unrolled designs: layers as truth tables, and what is done element by element. */
const UNROLLABLE: ReadonlySet<string> = new Set([
  'table.edge',
  'table.basis',
  'table.sum',
  'recode',
  'requantize',
  'bucketize',
  'gather',
  'reshape',
  'concat',
  'multiply',
  'input',
]);

/** Tables of more entries are not enumerated: such a design would not fit a part. */
const MOST_ENTRIES = 2 ** 24;

const isUnrollable = (stage: Stage): boolean =>
  UNROLLABLE.has(stage.op) &&
  (!stage.op.startsWith('table.') || stage.op === 'table.sum' || stage.edges !== undefined);

const entriesOf = ({ edges }: Stage): number =>
  edges === undefined ? 0 : edges.inputs * edges.outputs * edges.levels;

/** LUTs of the tables, six inputs each, and of the adders. */
export const lutEstimate = (tables: Iterable<EdgeTables>): number => {
  let luts = 0;
  for (const t of tables) luts += t.luts;
  return luts;
};

/** What keeps a program from being a design: the first of it, as K0602. */
const checkParts = (
  program: Program,
  { hardware, inputs, floats }: ReturnType<typeof split>,
): Checked<void> => {
  if (hardware.length === 0 || inputs.length === 0) {
    return fail('K0602', 'nothing of the network is left for hardware', {
      place: { op: program.output.name },
    });
  }
  const mixed = hardware.find((s) => s.inputs.some((slot) => floats.has(slot.name)));
  if (mixed === undefined) return E.right(undefined);
  return fail('K0602', `${mixed.op} joins floats of the input with floats that the hardware computes`, {
    place: { op: mixed.output.value },
    expected: 'inputs that are quantized before they are joined with anything: codes go into hardware',
    hint: 'Quantize the two apart, or use --target c or wasm.',
  });
};

/** Whether a design that is to be unrolled can be (K0602). */
const checkUnrolled = (blocking: Stage | undefined, entries: number): Checked<void> => {
  if (blocking !== undefined) {
    return fail('K0602', `unrolled designs have no ${blocking.op} over images or samples`, {
      place: { op: blocking.output.value },
      hint: 'Give --target-options architecture=folded.',
    });
  }
  if (entries <= MOST_ENTRIES) return E.right(undefined);
  return fail('K0602', `${entries} entries of truth tables are too many to be logic`, {
    expected: `at most ${MOST_ENTRIES}`,
    hint: 'Give --target-options architecture=folded, or compile with fewer bits of activations.',
  });
};

export const designOf = (
  name: string,
  program: Program,
  options: HlsOptions,
  version: string,
): Checked<Design> => {
  const parts = split(program);
  const sound = checkParts(program, parts);
  if (E.isLeft(sound)) return sound;
  const wanted = options.architecture ?? 'auto';
  const blocking = parts.hardware.find((s) => !isUnrollable(s));
  const entries = parts.hardware.reduce((n, s) => n + entriesOf(s), 0);
  const unrollable = wanted === 'unrolled' ? checkUnrolled(blocking, entries) : E.right(undefined);
  if (E.isLeft(unrollable)) return unrollable;
  const tables =
    wanted === 'folded' || blocking !== undefined || entries > MOST_ENTRIES
      ? undefined
      : new Map(
          parts.hardware.flatMap((s) =>
            s.edges === undefined ? [] : [[s.name, edgeTablesOf(s.edges, s.name)] as const],
          ),
        );
  const unrolled =
    tables !== undefined && (wanted === 'unrolled' || lutEstimate(tables.values()) <= UNROLLED_LIMIT);
  const form = options.interface ?? 'auto';
  return E.right({
    name,
    program,
    architecture: unrolled ? 'unrolled' : 'folded',
    interface: form === 'auto' ? (unrolled ? 'vector' : 'axis') : form,
    part: options.part ?? 'xc7a100tcsg324-1',
    clock: options.clock ?? 5,
    lanes: lanesFor(options.reuse ?? 1),
    host: parts.host,
    hardware: parts.hardware,
    inputs: parts.inputs,
    tables: unrolled ? tables : new Map(),
    version,
  });
};
