/**
 * Networks of which inputs, hidden values or outputs do nothing, and graphs that move elements of the input before they
 * are quantized: the same integers on every target, and a port for every input in hardware.
 */
import { describe, expect, it } from 'vitest';
import { probes } from '../../src/analyses/probes.js';
import { hls } from '../../src/backends/hls/index.js';
import type { Builder } from '../../src/ir/builder.js';
import { constant } from '../../src/ir/constant.js';
import { F32, uint } from '../../src/ir/element.js';
import { type Graph, isLevel, type ValueName } from '../../src/ir/graph.js';
import type { KanAttrs } from '../../src/ir/ops/kan.js';
import { floatType } from '../../src/ir/types.js';
import { calibrationOf, compiled, edgeLayer, kinds, randomKan, tableGraph } from '../passes/support.js';
import { messageOf } from '../support/checked.js';
import { missingTools } from '../support/tools.js';
import { expectSame as expectSameC } from './c/support.js';
import { expectSimulated } from './hls/support.js';
import { circuitOf, expectSameCircuit, expectSimulatedRtl } from './verilog/support.js';
import { expectSame as expectSameWasm } from './wasm/support.js';
import { expectSame as expectSameWgsl, gpuOfFile, skipsGpu } from './wgsl/support.js';

type Dead = (layer: number, input: number, output: number) => boolean;

/** The layer without the functions of some edges. */
const withoutEdges = (attrs: KanAttrs, dead: (input: number, output: number) => boolean): KanAttrs => ({
  ...attrs,
  branches: attrs.branches.map(({ basis, weights: { shape, data } }) => {
    const [, functions, outputs] = [shape[0]!, shape[1]!, shape[2]!];
    const isDead = (e: number): boolean => dead(Math.floor(e / outputs / functions), e % outputs);
    const left = Float32Array.from(data, (w: number, e: number) => (isDead(e) ? 0 : w));
    return { basis, weights: constant(F32, shape, left) };
  }),
});

const network = (form: 'edge' | 'basis', dead: Dead): Graph<'table'> => {
  const whole = randomKan(5, { layers: [4, 3, 2], bias: true });
  const nodes = whole.nodes.map((node, layer) =>
    node.op.kind === 'kan'
      ? {
          ...node,
          op: { kind: 'kan' as const, attrs: withoutEdges(node.op.attrs, (i, o) => dead(layer, i, o)) },
        }
      : node,
  );
  const bits = 'act=4,hidden=4,table=4';
  const passes = `calibrate{data=x},quantize{${bits}},tabulate{form=${form}},fold,prune,dedupe,narrow,dce`;
  const graph = compiled({ ...whole, nodes }, passes, calibrationOf(4));
  if (!isLevel('table')(graph)) throw new Error('a table graph is expected');
  return graph;
};

const DEAD: Readonly<Record<string, Dead>> = {
  'the first input': (l, i) => l === 0 && i === 0,
  'inputs in the middle': (l, i) => l === 0 && (i === 1 || i === 2),
  'all inputs but one': (l, i) => l === 0 && i !== 2,
  'all inputs': (l) => l === 0,
  'a hidden value': (l, i, o) => (l === 0 ? o === 1 : i === 1),
  'all hidden values': (l) => l === 1,
  'an output': (l, _, o) => l === 1 && o === 0,
};

const gather = (b: Builder<'table'>, of: ValueName, indices: ReadonlyArray<number>): ValueName =>
  b.add(
    'picked',
    { kind: 'gather', attrs: { indices: constant(uint(32), [indices.length], Uint32Array.from(indices)) } },
    [of],
  );
const quantize = (b: Builder<'table'>, of: ValueName, lo: number, step = 1): ValueName =>
  b.add(
    'code',
    {
      kind: 'quantize',
      attrs: { bits: 2, nan: 'zero', quantizer: { _tag: 'uniform', lo, step, levels: 4 } },
    },
    [of],
  );
const layer = (b: Builder<'table'>, of: ValueName, inputs: number): ValueName =>
  b.add(
    'acc',
    edgeLayer(inputs, 2, () => true),
    [of],
  );
const input = (b: Builder<'table'>): ValueName => b.input('x', floatType([3]));
const real = (b: Builder<'table'>, of: ValueName): ValueName =>
  b.add('real', { kind: 'dequantize', attrs: {} }, [of]);
const concat = (b: Builder<'table'>, ...of: ReadonlyArray<ValueName>): ValueName =>
  b.add('joined', { kind: 'concat', attrs: {} }, of);
const reshape = (b: Builder<'table'>, of: ValueName, shape: ReadonlyArray<number>): ValueName =>
  b.add('shaped', { kind: 'reshape', attrs: { shape } }, [of]);

/** Floats of the input beside floats that are computed. */
const MIXED = 'outputs of a layer beside the input';

const MOVED: Readonly<Record<string, (b: Builder<'table'>) => ValueName>> = {
  'inputs in another order': (b) => layer(b, quantize(b, gather(b, input(b), [2, 0, 1]), -1), 3),
  'an input twice': (b) => layer(b, quantize(b, gather(b, input(b), [1, 1, 2]), -1), 3),
  'inputs joined with some of them': (b) => {
    const x = input(b);
    return layer(b, quantize(b, concat(b, x, gather(b, x, [1])), -1), 4);
  },
  'inputs of another shape': (b) => {
    const x = reshape(b, input(b), [1, 3]);
    return layer(b, reshape(b, quantize(b, x, -1), [3]), 3);
  },
  'two quantizers of the input': (b) => {
    const x = input(b);
    return layer(b, concat(b, quantize(b, x, -1), gather(b, quantize(b, x, 0, 0.5), [0, 2])), 5);
  },
  'some outputs of a layer, as floats': (b) => {
    const floats = real(b, layer(b, quantize(b, input(b), -1), 3));
    return layer(b, quantize(b, gather(b, floats, [1, 0, 1]), 0), 3);
  },
  [MIXED]: (b) => {
    const x = input(b);
    const floats = real(b, layer(b, quantize(b, x, -1), 3));
    return layer(b, quantize(b, concat(b, floats, gather(b, x, [2])), 0), 3);
  },
};

const graphs: ReadonlyArray<readonly [string, number, Graph<'table'>]> = [
  ...(['edge', 'basis'] as const).flatMap((form) =>
    Object.entries(DEAD).map(([name, dead]) => [`${form}, dead: ${name}`, 4, network(form, dead)] as const),
  ),
  ...Object.entries(MOVED).map(([name, make]) => [name, 3, tableGraph(make)] as const),
];

const samples = (graph: Graph) => probes(graph, graph.inputs[0]!.type, 60, 3);
const floats = (graph: Graph): Float32Array => Float32Array.from(samples(graph).data);

it('are networks that prune has shortened', () => {
  expect(kinds(network('edge', DEAD['the first input']!))).toContain('gather');
});

describe.each(graphs)('%s', (_, inputs, graph) => {
  it('has a port for every input, and logic for the integers of the interpreter', () => {
    expect(circuitOf(graph).inputs.length).toBeGreaterThanOrEqual(inputs);
    expectSameCircuit(graph, samples(graph));
  });

  it('gives the same integers in WASM', async () => {
    await expectSameWasm(graph, floats(graph));
  });
});

describe.skipIf(missingTools({ iverilog: 'iverilog', make: 'make' }))('in Icarus Verilog', () => {
  it.each(graphs)('%s', async (_, __, graph) => {
    await expectSimulatedRtl(graph, samples(graph), 'iverilog');
  });
});

describe.skipIf(missingTools({ gcc: 'gcc' }))('in C', () => {
  it.each(graphs)('%s', async (_, __, graph) => {
    await expectSameC(graph, samples(graph), { flags: ['-O0'] });
  });
});

describe.skipIf(missingTools({ 'g++': 'g++' }))('in HLS', () => {
  // One form of the pruned networks: compiling takes seconds each.
  const some = graphs.filter(([name]) => name !== MIXED && !name.startsWith('basis'));
  it.each(some)(
    '%s',
    async (_, __, graph) => {
      await expectSimulated(graph, samples(graph), {});
    },
    60_000,
  );
});

it('HLS refuses what is neither software nor hardware', async () => {
  const graph = tableGraph(MOVED[MIXED]!);
  const refused = messageOf(await hls.emit({}, { version: 'test' })(graph)());
  expect(refused).toMatch(/K0602: op %joined.*floats of the input/);
});

describe.skipIf(skipsGpu)('in WGSL', () => {
  const gpu = gpuOfFile();
  it.each(graphs)('%s', async (_, __, graph) => {
    await expectSameWgsl(gpu(), graph, floats(graph));
  });
});
