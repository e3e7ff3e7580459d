/**
 * Reads `.kir` text. Text may come from anywhere, so nothing is trusted: nesting is limited, sizes are compared
 * before memory is taken, every resource is hashed again, and every printed type is inferred again.
 * What the parser does not check (levels, proven ranges, values of constants), the verifier does.
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { match } from 'ts-pattern';
import { type Checked, invariant, nearest } from '../diagnostics/index.js';
import { showErrors } from './codec.js';
import { type Constant, showConstantType } from './constant.js';
import { type Graph, type Node, toValueName, type Value, type ValueName } from './graph.js';
import { decodeOp, inferType, isOpKind, OPS } from './ops/index.js';
import { asType, ELIDED, showType } from './print.js';
import { MeaningCodec } from './quantizer.js';
import { cursorOf, diagnose, type Fault, type Token } from './text/lexer.js';
import { type ResourceTable, takeResources } from './text/resources.js';
import { type GraphSyntax, type NodeSyntax, takeGraph } from './text/syntax.js';
import { type Fields, type Syntax, type TypeSyntax, unexpected } from './text/values.js';
import { sameType, type ValueType, valueType } from './types.js';

/** More faults than this help nobody. */
const FAULT_LIMIT = 20;

/** Where names are looked up and faults are noted. */
interface Context {
  readonly resources: ResourceTable;
  /** Whether the text is a dump whose constants were left out. */
  readonly elided: boolean;
  readonly note: (fault: Fault) => undefined;
  /** Whether no more faults are taken. */
  readonly full: () => boolean;
}

type Referenced = Extract<Syntax, { readonly _tag: 'reference' }>;

const resolveReference = (context: Context, { name, type, at }: Referenced): Constant | undefined => {
  const found = context.resources.get(name);
  if (found === undefined) {
    return context.note({
      code: 'K0302',
      message: `#${name} is not in the resource section`,
      offset: at,
      ...(context.elided
        ? {
            hint: `This is a dump without its constants ('${ELIDED}'); print the graph with its resources to read it back.`,
          }
        : {}),
    });
  }
  return showConstantType(found) === showConstantType(type)
    ? found
    : context.note({
        code: 'K0302',
        message: `#${name} is used as ${showConstantType(type)}`,
        offset: at,
        expected: `${showConstantType(found)}, its type in the resource section`,
      });
};

/** The plain value of syntax, or undefined after noting a fault. `said` is what `<>` stands for. */
const resolve = (context: Context, syntax: Syntax, said: unknown): unknown =>
  match(syntax)
    .with({ _tag: 'plain' }, ({ value }) => value)
    .with({ _tag: 'reference' }, (reference) => resolveReference(context, reference))
    .with({ _tag: 'as-type' }, ({ at }) => said ?? context.note(saysNothing(at)))
    .with({ _tag: 'list' }, (list) => {
      const items = list.items.map((item) => resolve(context, item, undefined));
      return items.includes(undefined) ? undefined : items;
    })
    .with({ _tag: 'record' }, ({ tag, fields }) => {
      const resolved = resolveFields(context, fields, () => undefined);
      return resolved && (tag === undefined ? resolved : { _tag: tag, ...resolved });
    })
    .exhaustive();

const saysNothing = (offset: number): Fault => ({
  code: 'K0301',
  message: "'<>' stands for what the type of the value says, but the type says nothing here",
  offset,
});

const resolveFields = (
  context: Context,
  fields: Fields,
  saidOf: (key: string) => unknown,
): Record<string, unknown> | undefined => {
  const entries: Array<readonly [string, unknown]> = [];
  for (const [key, syntax] of fields) entries.push([key, resolve(context, syntax, saidOf(key))]);
  // fromEntries defines properties and never assigns: a field named __proto__ is a field like any other.
  return entries.some(([, value]) => value === undefined) ? undefined : Object.fromEntries(entries);
};

const resolveType = (context: Context, syntax: TypeSyntax): ValueType | undefined => {
  if (syntax.meaning === undefined) return valueType(syntax.element, syntax.shape);
  const resolved = resolve(context, syntax.meaning, undefined);
  if (resolved === undefined) return undefined;
  const meaning = MeaningCodec.decode(resolved);
  return E.isRight(meaning)
    ? valueType(syntax.element, syntax.shape, meaning.right)
    : context.note({
        code: 'K0303',
        message: `the meaning of the type is malformed: ${showErrors(meaning.left)}`,
        offset: syntax.meaning.at,
        expected:
          'uniform{levels, lo, step}, thresholds{levels, thresholds, values} or scaled{hi, lo, scale}',
      });
};

/** The values that are defined so far; an undefined type is one that could not be resolved. */
type Scope = Map<string, ValueType | undefined>;

const define = (
  context: Context,
  scope: Scope,
  name: Token,
  type: ValueType | undefined,
): ValueName | undefined => {
  if (scope.has(name.text)) {
    return context.note({
      code: 'K0301',
      message: `%${name.text} is defined twice`,
      offset: name.start,
      expected: 'a name that is not taken',
    });
  }
  scope.set(name.text, type);
  return toValueName(name.text);
};

const use = (context: Context, scope: Scope, name: Token): ValueName | undefined => {
  if (scope.has(name.text)) return toValueName(name.text);
  // The search below looks at many names: not once more than faults are shown.
  if (context.full()) return undefined;
  const near = nearest(name.text, [...scope.keys()].slice(-200));
  return context.note({
    code: 'K0301',
    message: `%${name.text} is not defined before this`,
    offset: name.start,
    ...(near === undefined ? {} : { hint: `Did you mean %${near}?` }),
  });
};

const resolveOp = (
  context: Context,
  node: NodeSyntax,
  type: ValueType | undefined,
): Node['op'] | undefined => {
  const { kind } = node;
  if (!isOpKind(kind.text)) {
    const near = nearest(kind.text, Object.keys(OPS));
    return context.note({
      code: 'K0301',
      message: `there is no op '${kind.text.slice(0, 40)}'`,
      offset: kind.start,
      op: node.name.text,
      ...(near === undefined
        ? { expected: `one of ${Object.keys(OPS).join(', ')}` }
        : { hint: `Did you mean '${near}'?` }),
    });
  }
  const attrs = resolveFields(context, node.fields, (key) => asType(key, type?.meaning));
  if (attrs === undefined) return undefined;
  const op = decodeOp(kind.text, attrs);
  return E.isRight(op)
    ? op.right
    : context.note({
        code: 'K0303',
        message: `the attributes of ${kind.text} are malformed: ${op.left}`,
        offset: kind.start,
        op: node.name.text,
      });
};

const resolveNode = (context: Context, scope: Scope, node: NodeSyntax): Node | undefined => {
  const type = resolveType(context, node.type);
  const op = resolveOp(context, node, type);
  const operands = node.operands.flatMap((o) => use(context, scope, o) ?? []);
  const operandTypes = operands.flatMap((o) => scope.get(o) ?? []);
  const name = define(context, scope, node.name, type);
  if (name === undefined || type === undefined || op === undefined) return undefined;
  if (operandTypes.length < node.operands.length) return undefined;
  const inferred = inferType(op, operandTypes);
  if (E.isLeft(inferred)) {
    const message = `${op.kind} ${inferred.left}`;
    return context.note({ code: 'K0303', message, offset: node.kind.start, op: name });
  }
  return sameType(inferred.right, type)
    ? { name, type, op, operands }
    : context.note({
        code: 'K0301',
        message: `%${name} is written with the type ${showType(type)}`,
        offset: node.type.at,
        expected: `${showType(inferred.right)}, which ${op.kind} gives`,
        op: name,
      });
};

const resolveOutputs = (context: Context, scope: Scope, syntax: GraphSyntax): ReadonlyArray<ValueName> => {
  const { outputs, results } = syntax;
  if (outputs.length !== results.length) {
    context.note({
      code: 'K0301',
      message: `${outputs.length} value(s) are returned`,
      offset: syntax.end,
      expected: `${results.length}, as in the first line of the graph`,
    });
    return [];
  }
  return outputs.flatMap((token, k) => {
    const name = use(context, scope, token);
    const type = scope.get(token.text);
    const declared = resolveType(context, results[k]!);
    if (name !== undefined && type !== undefined && declared !== undefined && !sameType(type, declared)) {
      context.note({
        code: 'K0301',
        message: `%${name} has the type ${showType(type)}`,
        offset: token.start,
        expected: `${showType(declared)}, as in the first line of the graph`,
      });
    }
    return name ?? [];
  });
};

/** The graph that syntax means, or what is wrong with it (a few faults, in the order of the text). */
const resolveGraph = (
  syntax: GraphSyntax,
  resources: ResourceTable,
  elided: boolean,
): E.Either<readonly [Fault, ...Fault[]], Graph> => {
  const faults: Fault[] = [];
  const full = (): boolean => faults.length >= FAULT_LIMIT;
  const note = (fault: Fault): undefined => {
    if (!full()) faults.push(fault);
    return undefined;
  };
  const context: Context = { resources, elided, note, full };
  const scope: Scope = new Map();
  const inputs: Value[] = [];
  for (const input of syntax.inputs) {
    const type = resolveType(context, input.type);
    const name = define(context, scope, input.name, type);
    if (name !== undefined && type !== undefined) inputs.push({ name, type });
  }
  const nodes: Node[] = [];
  for (const node of syntax.nodes) {
    const resolved = resolveNode(context, scope, node);
    if (resolved !== undefined) nodes.push(resolved);
    if (full()) break;
  }
  const outputs = resolveOutputs(context, scope, syntax);
  const { name, level } = syntax;
  const [first, ...more] = faults;
  return first === undefined ? E.right({ name, level, inputs, nodes, outputs }) : E.left([first, ...more]);
};

/**
 * The graph of a `.kir` text; `file` is for messages. Fails with K0301 (grammar, names, types), K0302
 * (resources) or K0303 (attributes), each with a line and a column.
 */
export const parseGraph = (text: string, file?: string): Checked<Graph> => {
  const failed = (first: Fault, ...more: Fault[]): Checked<Graph> =>
    E.left([diagnose(text, first, file), ...more.map((fault) => diagnose(text, fault, file))]);
  const cursor = cursorOf(text);
  const syntax = takeGraph(cursor);
  const resources = syntax && takeResources(cursor);
  const end = cursor.peek();
  if (resources !== undefined && end.kind !== 'end') unexpected(cursor, end, 'the end of the text');
  const fault = cursor.fault();
  if (fault !== undefined) return failed(fault);
  invariant(syntax !== undefined && resources !== undefined, 'parsing stopped without a fault');
  return pipe(
    resolveGraph(syntax, resources, resources.size === 0 && text.includes(ELIDED)),
    E.orElse((faults) => failed(...faults)),
  );
};
