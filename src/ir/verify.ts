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
} from '../diagnostics/index.js';
import { type Graph, type Node, toValueName, type ValueName } from './graph.js';
import { allowedAt, attrsFault, checkOp, inferType, isOpKind, OPS, proveOp } from './ops/index.js';
import { showType } from './print.js';
import { LEVELS, sameType, type ValueType } from './types.js';
import { checkSizes } from './verify-size.js';
import { constantsHold, typeHolds } from './verify-type.js';

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
