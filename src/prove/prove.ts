/** Runs the probes of every stage of an artifact and tells what they show. */
import * as E from 'fp-ts/lib/Either.js';
import type * as TE from 'fp-ts/lib/TaskEither.js';
import { type Diagnostics, InternalError } from '../diagnostics/index.js';
import { allocate, type TypedArray } from '../ir/element.js';
import type { Graph, ValueName } from '../ir/graph.js';
import { sizeOf } from '../ir/types.js';
import { probesOf } from './plan.js';
import { byDefinition, type Claim, operandArrays, type Probes } from './probes.js';
import { type Occurs, type Unit, unitOf } from './unit.js';

export interface StageMismatch {
  readonly value: string;
  readonly way: string;
  /** The element of the result. */
  readonly element: number;
  /** Where its channel and place are more than the element: `channel 3, place 17`. */
  readonly output: string;
  /** Under which operands. */
  readonly where: string;
  readonly expected: number;
  readonly found: number;
}

export interface Finding {
  readonly value: string;
  readonly op: string;
  readonly way: string;
  readonly claim: Claim;
  readonly what: string;
  readonly why?: string;
  readonly samples: number;
  /** Elements of results that were compared. */
  readonly compared: number;
  readonly mismatches: number;
  readonly first?: StageMismatch;
}

export interface ProveOptions {
  /** Seconds that the pairs of one layer may take, roughly. */
  readonly seconds: number;
  readonly onProgress: (text: string) => void;
}

/** Elements of operands and results that are held at a time. */
const CHUNK_ELEMENTS = 2 ** 22;
const CHUNK_SAMPLES = 8192;

export const proveStages =
  (
    machine: StageMachine,
    graph: Graph,
    { seconds, onProgress }: ProveOptions,
  ): TE.TaskEither<Diagnostics, ReadonlyArray<Finding>> =>
  async () => {
    const findings: Finding[] = [];
    for (const stage of machine.stages) {
      const whole = unitOf(graph, stage.name, stage.operands);
      const unit = stage.occurs === undefined ? whole : { ...whole, occurs: stage.occurs };
      for (const probes of probesOf(unit, seconds * machine.addsPerSecond)) {
        const about = `%${stage.name}${stage.way === '' ? '' : `, ${stage.way}`}: ${probes.what}`;
        const finding = await proveUnit(stage, unit, probes, (done) =>
          onProgress(`kanc: ${about}, ${done} of ${probes.samples}`),
        )();
        if (E.isLeft(finding)) return finding;
        findings.push(finding.right);
      }
    }
    return E.right(findings);
  };

const proveUnit =
  (
    stage: MachineStage,
    unit: Unit,
    probes: Probes,
    onProgress: (samples: number) => void,
  ): TE.TaskEither<Diagnostics, Finding> =>
  async () => {
    const width = sizeOf(unit.type);
    const widest = unit.operands.reduce((n, { type }) => Math.max(n, sizeOf(type)), width);
    const chunk = Math.max(1, Math.min(probes.samples, CHUNK_SAMPLES, Math.floor(CHUNK_ELEMENTS / widest)));
    const operands = operandArrays(unit, chunk);
    const expected = allocate(unit.type.element, chunk * width);
    const skippedBefore = stage.skipped?.() ?? 0;
    const tally: Tally = { mismatches: 0, first: undefined };
    for (let from = 0, round = 1; from < probes.samples; from += chunk, round++) {
      const count = Math.min(chunk, probes.samples - from);
      probes.fill(from, count, operands);
      probes.expect(from, count, operands, expected);
      // After 1, 2, 4, ... chunks: the interpreter is slow, and a wrong sum of rows would be wrong in all of them.
      if (probes.incremental === true && (round & (round - 1)) === 0) {
        crossCheck(unit, operands, expected, (from * 7) % count);
      }
      const given = operands.map((data, k) => data.subarray(0, count * sizeOf(unit.operands[k]!.type)));
      const found = await stage.run(given, count)();
      if (E.isLeft(found)) return found;
      if (found.right.length < count * width) {
        throw new InternalError(`the stage of %${stage.name} gave ${found.right.length} elements`);
      }
      compare(tally, expected, found.right, count * width, (at) =>
        mismatchOf(stage, unit, probes, from, at, expected[at]!, found.right[at]!),
      );
      onProgress(from + count);
    }
    const { claim, what: held, why } = probes.covered?.() ?? probes;
    const skipped = (stage.skipped?.() ?? 0) - skippedBefore;
    const what = skipped === 0 ? held : `${held}; not ${skipped} with codes that cannot occur`;
    return E.right({
      value: unit.name,
      op: unit.nodes[unit.nodes.length - 1]?.op.kind ?? 'input',
      way: stage.way,
      claim,
      what,
      ...(why === undefined ? {} : { why }),
      samples: probes.samples,
      compared: probes.samples * width,
      mismatches: tally.mismatches,
      ...(tally.first === undefined ? {} : { first: tally.first }),
    });
  };

interface Tally {
  mismatches: number;
  first: StageMismatch | undefined;
}

const compare = (
  tally: Tally,
  expected: TypedArray,
  found: TypedArray,
  length: number,
  mismatch: (at: number) => StageMismatch,
): void => {
  const floats = expected instanceof Float32Array;
  for (let j = 0; j < length; j++) {
    if (expected[j] === found[j] && (!floats || Object.is(expected[j], found[j]))) continue;
    // All NaN are alike.
    if (floats && Number.isNaN(expected[j]) && Number.isNaN(found[j])) continue;
    tally.mismatches++;
    tally.first ??= mismatch(j);
  }
};

const mismatchOf = (
  stage: MachineStage,
  unit: Unit,
  probes: Probes,
  from: number,
  at: number,
  expected: number,
  found: number,
): StageMismatch => {
  const width = sizeOf(unit.type);
  const element = at % width;
  const inner = width / (unit.type.shape[0] ?? width);
  return {
    value: unit.name,
    way: stage.way,
    element,
    output:
      inner === 1 ? `output ${element}` : `channel ${Math.floor(element / inner)}, place ${element % inner}`,
    where: probes.describe(from + Math.floor(at / width), element),
    expected,
    found,
  };
};

/** Sums of rows against the interpreter, for one sample of a chunk: a difference is a bug of the prover. */
const crossCheck = (
  unit: Unit,
  operands: ReadonlyArray<TypedArray>,
  expected: TypedArray,
  sample: number,
): void => {
  const width = sizeOf(unit.type);
  const own = operands.map((data, k) => {
    const size = sizeOf(unit.operands[k]!.type);
    return data.subarray(sample * size, (sample + 1) * size);
  });
  const defined = allocate(unit.type.element, width);
  byDefinition(unit)(0, 1, own, defined);
  for (let j = 0; j < width; j++) {
    if (defined[j] !== expected[sample * width + j]) {
      throw new InternalError(
        `%${unit.name}, element ${j}: rows give ${expected[sample * width + j]}, the interpreter ${defined[j]}`,
      );
    }
  }
};

export interface MachineStage {
  /** The value that it gives, and those that it reads. */
  readonly name: ValueName;
  readonly operands: ReadonlyArray<ValueName>;
  /** Which of several ways to compute the value this is; empty where there is one. */
  readonly way: string;
  /** Which codes its operands can have, where not all can be given to it. */
  readonly occurs?: Occurs;
  /** Samples so far that the stage could not be given, as they hold codes that cannot occur in it. */
  readonly skipped?: () => number;
  /** Arrays [sample, element], row-major, in the element types of the values; gives the value of each sample alike. */
  readonly run: (
    operands: ReadonlyArray<TypedArray>,
    samples: number,
  ) => TE.TaskEither<Diagnostics, TypedArray>;
}

export interface StageMachine {
  readonly stages: ReadonlyArray<MachineStage>;
  /** Integers that its table layers add in a second, roughly: how much is run depends on it. */
  readonly addsPerSecond: number;
  /** What is run, and what of the artifact is not in it. */
  readonly about: string;
  readonly close: () => void;
}
