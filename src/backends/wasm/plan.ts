/**
 * From a table graph to kernels: checks that the target can express the graph, folds gathers and maps into the
 * layers that read them, and makes one kernel for every value that is materialised.
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { match, P } from 'ts-pattern';
import { type Checked, fail, InternalError } from '../../diagnostics/index.js';
import type { PerChannel } from '../../ir/constant.js';
import {
  definitionsOf,
  type Graph,
  type Node,
  typesOf,
  usesOf,
  type Value,
  type ValueName,
} from '../../ir/graph.js';
import { checkOp, proveOp } from '../../ir/ops/index.js';
import type { Quantizer } from '../../ir/quantizer.js';
import { levelsOf, sizeOf, type ValueType } from '../../ir/types.js';
import type { Kernel } from './kernel.js';
import { basisTable } from './kernels/basis.js';
import type { CodeSource } from './kernels/code-source.js';
import { dequantizeValues } from './kernels/dequantize.js';
import { edgeTable } from './kernels/edge.js';
import { gatherElements } from './kernels/gather.js';
import { quantizeThresholds } from './kernels/quantize-thresholds.js';
import { quantizeUniform } from './kernels/quantize-uniform.js';
import { recodeMap } from './kernels/recode.js';
import { requantizeCodes } from './kernels/requantize.js';
import { storageOf } from './storage.js';

export interface Plan {
  readonly input: Value;
  readonly kernels: ReadonlyArray<Kernel>;
  /** The value that `predict` returns, and its type. */
  readonly output: Value;
  /** The last integers: the operand of a final dequantize, or the output itself. */
  readonly raw: Value;
}

/** Maps from wider codes are applied on their own: a table for every layer would outgrow the cache. */
const LARGEST_FUSED_MAP = 1024;

export const planOf = (graph: Graph<'table'>): Checked<Plan> => {
  const [input, ...otherInputs] = graph.inputs;
  const [result, ...otherOutputs] = graph.outputs;
  if (input === undefined || result === undefined || otherInputs.length > 0 || otherOutputs.length > 0) {
    return fail(
      'K0602',
      `the graph has ${graph.inputs.length} input(s) and ${graph.outputs.length} output(s)`,
      { expected: 'one of each' },
    );
  }
  if (
    input.type.element.kind === 'int' ||
    (input.type.element.kind === 'uint' && input.type.element.bits > 8)
  ) {
    return fail('K0602', 'the input is neither f32 nor unsigned codes of at most 8 bits', {
      place: { op: input.name },
    });
  }
  const view = viewOf(graph);
  return pipe(
    graph.nodes.filter((node) => !view.absorbed.has(node.name)),
    E.traverseArray((node) => kernelOf(node, view)),
    E.flatMap((kernels) => {
      const output = view.value(view.root(result));
      const defined = view.definitions.get(output.name);
      if (defined === undefined) {
        return fail('K0602', 'the output is the input itself', { place: { op: output.name } });
      }
      const raw = defined.op.kind === 'dequantize' ? view.value(view.root(defined.operands[0]!)) : output;
      return raw.type.element.kind === 'f32'
        ? fail('K0602', `${defined.op.kind} gives floats as the output`, {
            place: { op: output.name },
            expected: 'dequantize, accumulators or codes',
          })
        : E.right({ input, kernels, output, raw });
    }),
  );
};

/** What planning asks about a graph. */
interface GraphView {
  readonly definitions: ReadonlyMap<ValueName, Node>;
  readonly value: (name: ValueName) => Value;
  /** The value behind observations, which do nothing. */
  readonly root: (name: ValueName) => ValueName;
  /** Nodes that have no kernel of their own. */
  readonly absorbed: ReadonlySet<ValueName>;
  /** The codes of a layer's operand, and the value that they are read from. */
  readonly source: (operand: ValueName) => { readonly from: ValueName; readonly codes: CodeSource };
}

const viewOf = (graph: Graph): GraphView => {
  const definitions = definitionsOf(graph);
  const types = typesOf(graph);
  const uses = usesOf(graph);
  const value = (name: ValueName): Value => {
    const type = types.get(name);
    if (type === undefined) throw new InternalError(`%${name} has no type`);
    return { name, type };
  };
  const root = (name: ValueName): ValueName => {
    const node = definitions.get(name);
    return node?.op.kind === 'observe' ? root(node.operands[0]!) : name;
  };
  const trace = (operand: ValueName): Trace => traceCodes(operand, definitions, uses, value);
  const layers = graph.nodes.filter((n) => n.op.kind === 'table.edge' || n.op.kind === 'table.basis');
  const absorbed = new Set([
    ...graph.nodes.filter((n) => n.op.kind === 'observe').map((n) => n.name),
    ...layers.flatMap((n) => trace(n.operands[0]!).passed),
  ]);
  return {
    definitions,
    value,
    root,
    absorbed,
    source: (operand) => {
      const { from, codes } = trace(operand);
      return { from, codes };
    },
  };
};

interface Trace {
  readonly from: ValueName;
  readonly codes: CodeSource;
  /** Values on the way that only this layer reads. */
  readonly passed: ReadonlyArray<ValueName>;
}

/** Walks from a layer's operand towards the input, through values that nothing else uses. */
const traceCodes = (
  operand: ValueName,
  definitions: ReadonlyMap<ValueName, Node>,
  uses: ReadonlyMap<ValueName, number>,
  value: (name: ValueName) => Value,
): Trace => {
  let from = operand;
  let positions: ArrayLike<number> | undefined;
  let map: ArrayLike<number> | undefined;
  const passed: ValueName[] = [];
  for (;;) {
    const node = definitions.get(from);
    if (node === undefined) break;
    const { op } = node;
    const onlyUse = uses.get(from) === 1;
    const next = node.operands[0]!;
    if (op.kind === 'gather' && onlyUse) {
      const [indices, seen] = [op.attrs.indices.data, positions];
      positions = seen === undefined ? indices : Array.from(seen, (p) => indices[p]!);
    } else if (
      op.kind === 'recode' &&
      onlyUse &&
      op.attrs.map.shape[0] === 1 &&
      op.attrs.map.data.length <= LARGEST_FUSED_MAP
    ) {
      const [codes, seen] = [op.attrs.map.data, map];
      map = seen === undefined ? codes : Array.from(codes, (c) => seen[c]!);
    } else if (op.kind !== 'observe') {
      break;
    }
    passed.push(from);
    from = next;
  }
  const { type } = value(from);
  return {
    from,
    passed,
    codes: {
      storage: storageOf(type.element),
      levels: levelsOf(type),
      ...(positions === undefined ? {} : { positions }),
      ...(map === undefined ? {} : { map }),
    },
  };
};

const kernelOf = (node: Node, view: GraphView): Checked<Kernel> => {
  const operand = view.value(view.root(node.operands[0]!));
  const base = { name: node.name, operand: operand.name, length: sizeOf(node.type) };
  const [from, to] = [storageOf(operand.type.element), storageOf(node.type.element)];
  const unsupported = (kind: string): Checked<Kernel> =>
    fail('K0602', `the WASM target has no ${kind}`, {
      place: { op: node.name },
      hint: 'Only graphs of the table level can be compiled: quantize and tabulate first.',
    });
  return (
    match(node.op)
      .with({ kind: 'quantize' }, ({ attrs }) => E.right(quantizeBy(base, attrs.quantizer, to)))
      .with({ kind: 'recode' }, ({ attrs }) => E.right(recodeMap(base, attrs, from, to)))
      .with({ kind: 'gather' }, ({ attrs }) =>
        E.right(gatherElements(base, attrs.indices.data, sizeOf(operand.type), from)),
      )
      .with({ kind: 'requantize' }, (op) =>
        pipe(
          // The code is exact only where products fit 32 bits, whoever made the graph.
          checkOp(op, [operand.type]),
          E.flatMap(() => proveOp(op, [operand.type])),
          E.matchW(
            (fault): Checked<Kernel> => fail('K0401', `requantize: ${fault}`, { place: { op: node.name } }),
            () => E.right(requantizeCodes(base, op.attrs, from, to)),
          ),
        ),
      )
      .with({ kind: 'dequantize' }, () => {
        const scale = scaleOf(operand.type);
        return isF32(scale)
          ? E.right(dequantizeValues(base, scale, from))
          : fail('K0602', `the scale of %${operand.name} is not an f32 value`, { place: { op: node.name } });
      })
      .with({ kind: 'table.edge' }, ({ attrs }) => {
        const source = view.source(node.operands[0]!);
        const inputs = attrs.slabs?.shape[0] ?? attrs.table.shape[0]!;
        return edgeTable({ ...base, operand: source.from }, attrs, inputs, source.codes, to);
      })
      .with({ kind: 'table.basis' }, ({ attrs }) => {
        const source = view.source(node.operands[0]!);
        return E.right(basisTable({ ...base, operand: source.from }, attrs, source.codes, to));
      })
      // Float ops that passes fold away, and ops of networks that the kernels do not cover.
      .with(
        {
          kind: P.union(
            'activate',
            'add',
            'affine',
            'concat',
            'decode',
            'kan',
            'multiply',
            'norm',
            'observe',
            'pool',
          ),
        },
        { kind: P.union('reshape', 'table.norm', 'table.sum') },
        ({ kind }) => unsupported(kind),
      )
      .exhaustive()
  );
};

const quantizeBy = (
  base: Pick<Kernel, 'name' | 'operand' | 'length'>,
  q: Quantizer,
  to: Kernel['result'],
): Kernel => (q._tag === 'uniform' ? quantizeUniform(base, q, to) : quantizeThresholds(base, q, to));

const scaleOf = (type: ValueType): PerChannel => (type.meaning?._tag === 'scaled' ? type.meaning.scale : 1);

/** A scale of more precision would be multiplied in another precision than the definition says. */
const isF32 = (scale: PerChannel): boolean =>
  typeof scale !== 'number' || Object.is(Math.fround(scale), scale);
