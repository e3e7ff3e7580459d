/** Ops of ONNX that hold graphs: branches on constants are taken, loops of constant length are written out. */
import type { ValueId } from '../../tensor/program.js';
import {
  type Building,
  type Call,
  type Conversion,
  type Conversions,
  concat,
  constant,
  constantOf,
  cut,
  graphOf,
  intOf,
  intsOf,
  opaque,
  operand,
  reshape,
  shapeOf,
  wrong,
} from './call.js';

const If: Conversion = function* (call) {
  const condition = yield* constantOf(call, yield* operand(call, 0), 'the condition');
  const branch = yield* graphOf(call, condition[0] !== 0 ? 'then_branch' : 'else_branch');
  return yield* call.convert(branch, new Map());
};

/** Above this many rounds a loop is not written out. */
const MOST_ROUNDS = 1024;

/** Values of the same shape, one behind the other along a new first axis. */
function* stacked(call: Call, values: ReadonlyArray<ValueId>): Building<ValueId> {
  const rows: ValueId[] = [];
  for (const value of values) rows.push(yield* reshape(call, value, [1, ...shapeOf(call, value)]));
  return rows.length === 0
    ? yield* opaque('it collects the results of no round')
    : yield* concat(call, rows, 0);
}

function* stackedAll(
  call: Call,
  collected: ReadonlyArray<ReadonlyArray<ValueId>>,
): Building<ReadonlyArray<ValueId>> {
  const values: ValueId[] = [];
  for (const list of collected) values.push(yield* stacked(call, list));
  return values;
}

const Loop: Conversion = function* (call) {
  const body = yield* graphOf(call, 'body');
  const [most, condition, ...initial] = call.operands;
  const rounds = most === undefined ? undefined : (yield* constantOf(call, most, 'the number of rounds'))[0];
  if (rounds === undefined || rounds > MOST_ROUNDS)
    return yield* opaque(
      `it goes on for ${rounds ?? 'as long as a condition holds, not for a known number of'} rounds`,
    );
  let goes = condition === undefined || (yield* constantOf(call, condition, 'the condition'))[0] !== 0;
  let state: ReadonlyArray<ValueId> = initial.flatMap((v) => v ?? []);
  if (state.length !== initial.length) return yield* wrong('a value that it begins with is missing');
  const collected = body.outputs.slice(1 + state.length).map((): ValueId[] => []);
  for (let round = 0; round < rounds && goes; round++) {
    const flags = [yield* constant(call, [round], [], 'int'), yield* constant(call, [1], [], 'bool')];
    const given = new Map([...flags, ...state].map((v, k) => [body.inputs[k]?.name ?? '', v] as const));
    const [next = yield* wrong('its body has no outputs'), ...results] = yield* call.convert(body, given);
    goes = (yield* constantOf(call, next, 'the condition'))[0] !== 0;
    state = results.slice(0, state.length);
    for (const [k, list] of collected.entries())
      list.push(...results.slice(state.length + k, state.length + k + 1));
  }
  return [...state, ...(yield* stackedAll(call, collected))];
};

/** Along the first axis of what it goes over, forwards. */
const Scan: Conversion = function* (call) {
  const body = yield* graphOf(call, 'body');
  const scanned = yield* intOf(call, 'num_scan_inputs', 1);
  const values: ValueId[] = [];
  for (let k = 0; k < call.operands.length; k++) values.push(yield* operand(call, k));
  for (const name of [
    'scan_input_axes',
    'scan_output_axes',
    'scan_input_directions',
    'scan_output_directions',
  ])
    if ((yield* intsOf(call, name))?.some((n) => n !== 0))
      return yield* opaque(`it has "${name}" other than zeros`);
  if (call.opset < 9) return yield* opaque('it is of the opset 8, with lengths of sequences');
  let state: ReadonlyArray<ValueId> = values.slice(0, values.length - scanned);
  const sequences = values.slice(values.length - scanned);
  const rounds = shapeOf(call, sequences[0] ?? (yield* wrong('it goes over nothing')))[0] ?? 0;
  if (rounds > MOST_ROUNDS) return yield* opaque(`it goes on for ${rounds} rounds`);
  const collected = body.outputs.slice(state.length).map((): ValueId[] => []);
  for (let round = 0; round < rounds; round++) {
    const rows: ValueId[] = [];
    for (const s of sequences) {
      const shape = shapeOf(call, s).slice(1);
      const row = yield* cut(call, s, [round, ...shape.map(() => 0)], [1, ...shape]);
      rows.push(yield* reshape(call, row, shape));
    }
    const given = new Map([...state, ...rows].map((v, k) => [body.inputs[k]?.name ?? '', v] as const));
    const results = yield* call.convert(body, given);
    state = results.slice(0, state.length);
    for (const [k, list] of collected.entries())
      list.push(...results.slice(state.length + k, state.length + k + 1));
  }
  return [...state, ...(yield* stackedAll(call, collected))];
};

export const CONTROL: Conversions = { If, Loop, Scan };
