/**
 * The verifier: everything that a graph must be, whoever made it. It runs on graphs from text and from
 * plugins, so it trusts no type annotation, and it tells all faults that it finds.
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import {
  type Checked,
  type Diagnostic,
  type DiagnosticCode,
  type DiagnosticParts,
  diagnostic,
  eachHolds,
  fail,
  HOLDS,
  type Rule,
} from '../diagnostics/index.js';
import { showErrors } from './codec.js';
import { type Constant, elementCount, firstUnfit, showConstantType } from './constant.js';
import { type ElementType, storesElement } from './element.js';
import { type Graph, type Node, toValueName, type ValueName } from './graph.js';
import { allowedAt, attrsFault, checkOp, inferType, isOpKind, OPS, proveOp } from './ops/index.js';
import { showType } from './print.js';
import { MeaningCodec, quantizerFault } from './quantizer.js';
import { visitConstants } from './resources.js';
import { channelsOf, LEVELS, sameType, sizeOf, type ValueType } from './types.js';

/** Most elements of one sample of a value, as importers have it. */
export const MOST_OF_VALUE = 2 ** 28;
/** Most elements of one sample of all values together. */
const MOST_OF_GRAPH = 2 ** 29;

const HINT = 'No network of a library has values of this size. If yours does, please report it.';

/** K0113, with the value, before anything is allocated by a shape. Shapes that are none are for others to tell. */
const checkSizes = ({ inputs, nodes }: Graph): Checked<void> => {
  let total = 0;
  for (const { name, type } of [...inputs, ...nodes]) {
    const size = Array.isArray(type.shape) ? sizeOf(type) : 0;
    if (size > MOST_OF_VALUE) {
      return fail('K0113', `a value of the shape [${type.shape.join(', ')}] has ${size} elements`, {
        place: { op: name },
        expected: `at most ${MOST_OF_VALUE} in one sample`,
        hint: HINT,
      });
    }
    if (size > 0) total += size;
    if (total > MOST_OF_GRAPH) {
      return fail('K0113', `the values up to this one have ${total} elements together`, {
        place: { op: name },
        expected: `at most ${MOST_OF_GRAPH} in one sample`,
        hint: HINT,
      });
    }
  }
  return E.right(undefined);
};

// Untyped code makes graphs too: what the type says to be there may be missing.
const isElement = (e: ElementType | undefined): boolean =>
  e?.kind === 'f32' ||
  ((e?.kind === 'uint' || e?.kind === 'int') && Number.isInteger(e.bits) && e.bits >= 1 && e.bits <= 32);

const isShape = (shape: ReadonlyArray<number>, least: number): boolean =>
  Array.isArray(shape) && shape.every((d) => Number.isSafeInteger(d) && d >= least);

/** A constant itself, wherever it stands. */
const constantHolds = (c: Constant): Rule<void> => {
  if (!isElement(c.element) || !isShape(c.shape, 0)) return E.left('a constant has no valid type');
  const name = `a constant of type ${showConstantType(c)}`;
  if (!ArrayBuffer.isView(c.data) || !storesElement(c.element, c.data)) {
    return E.left(`${name} is not stored in the array of its type`);
  }
  if (c.data.length !== elementCount(c.shape)) return E.left(`${name} holds ${c.data.length} elements`);
  // Floats are judged by the ops: a threshold may be infinite, a weight may not.
  if (c.element.kind === 'f32') return HOLDS;
  const wrong = firstUnfit(c);
  return wrong < 0 ? HOLDS : E.left(`${name} holds ${c.data[wrong]}, which does not fit its bits`);
};

/** All constants inside a value. */
const constantsHold = (u: unknown): Rule<void> => {
  const constants: Constant[] = [];
  visitConstants(u, (c) => {
    constants.push(c);
  });
  return eachHolds(constants, constantHolds);
};

const meaningHolds = (type: ValueType): Rule<void> => {
  const { element, meaning } = type;
  if (meaning === undefined) return HOLDS;
  const constants = constantsHold(meaning);
  if (E.isLeft(constants)) return constants;
  const decoded = MeaningCodec.decode(meaning);
  if (E.isLeft(decoded)) return E.left(`the meaning of the type is malformed: ${showErrors(decoded.left)}`);
  if (meaning._tag !== 'scaled') {
    return element.kind === 'uint'
      ? quantizerFault(meaning, channelsOf(type), element.bits)
      : E.left('only unsigned codes have a quantizer');
  }
  if (element.kind !== 'int') return E.left('only signed accumulators have a scale');
  if (typeof meaning.scale !== 'number' && meaning.scale.shape[0] !== channelsOf(type)) {
    return E.left(`scale has ${meaning.scale.shape[0]} elements for ${channelsOf(type)} channels`);
  }
  return meaning.lo > meaning.hi ? E.left(`range [${meaning.lo}, ${meaning.hi}] is empty`) : HOLDS;
};

/** The type of a value. */
const typeHolds = (type: ValueType): Rule<void> => {
  if (!isElement(type.element)) return E.left('the element type is none of f32, u1 to u32, i1 to i32');
  if (!isShape(type.shape, 1)) {
    return E.left(`the shape [${type.shape.join(', ')}] is not made of positive integers`);
  }
  return meaningHolds(type);
};

type Report = (code: DiagnosticCode, message: string, parts?: Omit<DiagnosticParts, 'place'>) => void;

/** The type rule of a node whose attributes and operands are sound; whether it holds. */
const verifyType = (node: Node, operands: ReadonlyArray<ValueType>, report: Report): boolean => {
  const recorded = typeHolds(node.type);
  if (E.isLeft(recorded)) {
    report('K0401', recorded.left);
    return false;
  }
  const inferred = inferType(node.op, operands);
  if (E.isLeft(inferred)) {
    report('K0401', `${node.op.kind} ${inferred.left}`);
    return false;
  }
  if (sameType(inferred.right, node.type)) return true;
  report('K0401', `the type is recorded as ${showType(node.type)}`, {
    expected: `${showType(inferred.right)}, which ${node.op.kind} gives`,
  });
  return false;
};

const verifyNode = (
  graph: Graph,
  node: Node,
  types: ReadonlyMap<ValueName, ValueType>,
  report: Report,
): void => {
  const { op } = node;
  if (!isOpKind(op.kind)) {
    report('K0401', `there is no op '${String(op.kind)}'`, {
      expected: `one of ${Object.keys(OPS).join(', ')}`,
    });
    return;
  }
  if (!allowedAt(op, graph.level)) {
    report('K0401', `${op.kind} does not stand at level ${graph.level}`, {
      expected: `an op of this level; ${op.kind} stands at ${OPS[op.kind].levels.join(', ')}`,
    });
  }
  const operands = node.operands.flatMap((name) => {
    const type = types.get(name);
    if (type === undefined) report('K0401', `${op.kind} uses %${name}, which is not defined before it`);
    return type ?? [];
  });
  const sound = pipe(
    constantsHold(op.attrs),
    E.flatMap(() => attrsFault(op)),
  );
  if (E.isLeft(sound)) {
    report('K0401', `the attributes of ${op.kind} are malformed: ${sound.left}`);
    return;
  }
  // The rules below may assume all that was checked above.
  if (operands.length < node.operands.length || !verifyType(node, operands, report)) return;
  const checked = checkOp(op, operands);
  if (E.isLeft(checked)) {
    report('K0401', `${op.kind}: ${checked.left}`);
    return;
  }
  const proven = proveOp(op, operands);
  if (E.isLeft(proven)) report('K0402', `${op.kind}: ${proven.left}`);
};

/**
 * Whether the graph keeps all rules of the IR. K0113 for values that are too large, before anything is made of their size;
 * K0402 for ranges that are not proven, K0401 for all else.
 */
export const verify = (graph: Graph): Checked<void> =>
  pipe(
    checkSizes(graph),
    E.flatMap(() => verifyRules(graph)),
  );

const verifyRules = (graph: Graph): Checked<void> => {
  const faults: Diagnostic[] = [];
  const reportAt =
    (op?: string): Report =>
    (code, message, parts = {}) => {
      faults.push(diagnostic(code, message, { ...parts, place: op === undefined ? {} : { op } }));
    };
  const reportGraph = reportAt();
  const types = new Map<ValueName, ValueType>();
  const define = (name: ValueName, type: ValueType): void => {
    if (toValueName(name) === undefined) reportAt(name)('K0401', `'${name}' is not a value name`);
    if (types.has(name)) reportAt(name)('K0401', `%${name} is defined twice`);
    // A type that is no type would break the rules of the ops that use it.
    if (E.isRight(typeHolds(type))) types.set(name, type);
  };
  if (!LEVELS.includes(graph.level)) {
    reportGraph('K0401', `there is no level '${String(graph.level)}'`, { expected: LEVELS.join(', ') });
  }
  if (graph.inputs.length === 0) reportGraph('K0401', 'the graph has no input');
  if (graph.outputs.length === 0) reportGraph('K0401', 'the graph has no output');
  for (const { name, type } of graph.inputs) {
    const held = typeHolds(type);
    if (E.isLeft(held)) reportAt(name)('K0401', held.left);
    define(name, type);
  }
  for (const node of graph.nodes) {
    verifyNode(graph, node, types, reportAt(node.name));
    define(node.name, node.type);
  }
  for (const name of graph.outputs) {
    if (!types.has(name)) reportGraph('K0401', `%${name} is returned but not defined`);
  }
  const [first, ...rest] = faults;
  return first === undefined ? E.right(undefined) : E.left([first, ...rest]);
};
