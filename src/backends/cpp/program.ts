/**
 * From a table graph to a program of stages, which C and HLS write in their own ways. Every op is a stage of its own;
 * reshapes that keep the order of elements, and observations, are names for the array behind them.
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { type Checked, fail } from '../../diagnostics/index.js';
import type { PerChannel } from '../../ir/constant.js';
import { type Graph, liveValues, type Node, type Value, type ValueName } from '../../ir/graph.js';
import { refusesNaN } from '../../ir/interpret.js';
import { levelsOf, sizeOf, type ValueType } from '../../ir/types.js';
import { interleaved, keepsOrder } from '../shared/image.js';
import { inputOf, scaleOf, valuesOf } from '../shared/values.js';
import { elementOf, type Helper, type Slot, type Stage, scalesOf } from './stage.js';
import { checkFactors, stageOf } from './stage-of.js';

export interface Program {
  readonly name: string;
  /** Row-major, as callers give it. */
  readonly input: Value;
  readonly inputSlot: Slot;
  readonly stages: ReadonlyArray<Stage>;
  /** The last integers, and where they lie. */
  readonly raw: Value;
  readonly rawSlot: Slot;
  /** The scale that makes floats of them; undefined where the graph ends with integers. */
  readonly scale: PerChannel | undefined;
  /** The value that the graph returns. */
  readonly output: Value;
}

const isAlias = (node: Node, operand: ValueType): boolean =>
  node.op.kind === 'observe' || (node.op.kind === 'reshape' && keepsOrder(operand, node.type));

export const programOf = (graph: Graph<'table'>, target: string): Checked<Program> =>
  pipe(
    inputOf(graph),
    E.flatMap(({ input, result }) => build(graph, input, result, target)),
  );

const build = (graph: Graph<'table'>, input: Value, result: ValueName, target: string): Checked<Program> => {
  const { definitions, value, root, isFree } = valuesOf(graph, isAlias);
  const typeOf = (name: ValueName): ValueType => value(name).type;
  // As callers give it: row-major.
  const inputSlot: Slot = { ...slotFor(input, 'x'), channels: 1 };
  const slots = new Map<ValueName, Slot>([[input.name, inputSlot]]);
  const slotOf = (name: ValueName): Slot => slots.get(root(name)) ?? inputSlot;

  const last = definitions.get(root(result));
  if (last === undefined) return fail('K0602', 'the output is the input itself', { place: { op: result } });
  const dequantized = last.op.kind === 'dequantize' ? last.operands[0]! : undefined;
  const raw = value(dequantized ?? result);
  if (raw.type.element.kind === 'f32' || root(raw.name) === input.name) {
    return fail('K0602', `${last.op.kind} gives what the target does not return`, {
      place: { op: result },
      expected: 'dequantize, accumulators or codes',
    });
  }
  const scale = dequantized === undefined ? undefined : scaleOf(raw.type);
  const stages: Stage[] = [];
  const first = inputOrder(input, inputSlot);
  if (first !== undefined) {
    slots.set(input.name, first.output);
    stages.push(first);
  }
  const live = liveValues(graph);
  for (const node of graph.nodes) {
    if (!live.has(node.name) || isFree(node) || (node === last && dequantized !== undefined)) continue;
    const output = slotFor(node, `v${stages.length}`);
    const stage = stageOf(node, { typeOf, slotOf }, output, `s${stages.length}`, target);
    if (E.isLeft(stage)) return stage;
    slots.set(node.name, output);
    stages.push(stage.right);
  }
  return pipe(
    checkFactors(scale === undefined ? [] : scalesOf(raw.type), raw.name, target),
    E.map(() => ({
      name: graph.name,
      input,
      inputSlot,
      stages,
      raw,
      rawSlot: slotOf(raw.name),
      scale,
      output: value(result),
    })),
  );
};

const slotFor = ({ name, type }: Value, as: string): Slot => ({
  value: name,
  name: as,
  type: elementOf(type),
  length: sizeOf(type),
  channels: interleaved(type),
});

/** A copy of an input of several channels, which comes row-major, with its channels last. */
const inputOrder = (input: Value, slot: Slot): Stage | undefined => {
  const channels = interleaved(input.type);
  if (channels === 1) return undefined;
  const inner = slot.length / channels;
  const output = { ...slot, name: 'v0', channels };
  return {
    name: 's0_order',
    op: 'input',
    comment: 'the input with its channels last',
    inputs: [slot],
    output,
    tables: [],
    helpers: [],
    body: (d) => [
      `for (int32_t p = 0; p < ${inner}; p++) {`,
      [
        `for (int32_t c = 0; c < ${channels}; c++) {`,
        [...d.pragma('HLS PIPELINE II=1'), `out[p * ${channels} + c] = in0[c * ${inner} + p];`],
        '}',
      ],
      '}',
    ],
    inOrder: false,
    cycles: () => slot.length,
    summary: { form: 'channels last', inputs: slot.length, outputs: slot.length },
  };
};

/** Why a sample may be refused: a NaN where the graph says so, or a code that no table has a row for. */
export interface Refusal {
  readonly text: string;
  /** Code over element `j` of the input. */
  readonly test: string;
  /** What the test calls. */
  readonly helpers: ReadonlyArray<Helper>;
}

/** `scope` stands before the names of helpers. */
export const refusal = (graph: Graph, program: Program, name: string, scope = ''): Refusal | undefined => {
  const { type } = program.input;
  if (type.element.kind === 'f32') {
    // By its bits: compilers that are told that there are no NaN (-ffast-math) take x != x for false.
    return refusesNaN(graph)
      ? {
          text: 'holds a NaN',
          test: `${scope}float_order(${name}[j]) == -2147483647 - 1`,
          helpers: ['order'],
        }
      : undefined;
  }
  const levels = levelsOf(type);
  return levels < 256
    ? { text: `holds a code above ${levels - 1}`, test: `${name}[j] > ${levels - 1}`, helpers: [] }
    : undefined;
};
