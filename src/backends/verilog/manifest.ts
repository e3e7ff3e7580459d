/** The manifest of an RTL artifact: the module, its ports in order, and figures before synthesis. */
import * as t from 'io-ts';
import { type Graph, typesOf } from '../../ir/graph.js';
import type { EmitContext } from '../backend.js';
import { Identifier } from '../cpp/names.js';
import {
  COMMON,
  describeLayer,
  manifestHead,
  manifestTail,
  Natural,
  parseManifestOf,
} from '../shared/manifest.js';
import { countEdges } from './edges.js';
import type { Circuit } from './lower.js';
import { type ElementOf, portValues } from './ports.js';
import type { Figures } from './readme.js';

export const VerilogManifestCodec = t.type({
  ...COMMON,
  target: t.literal('verilog'),
  rtl: t.intersection([
    t.type({
      module: Identifier,
      /** The value of the graph whose codes the ports take; where they take those of several, the first of them. */
      codes: t.string,
      /** Clock cycles from a sample to its result. */
      latency: Natural,
      /** Bits. */
      registers: Natural,
      /** LUTs of six inputs, and of four. */
      luts: Natural,
      luts4: Natural,
      edges: Natural,
      /** Which codes the logic need not take: those that are proven not to occur, or did not in so many samples. */
      dontCares: t.string,
      /** The options that the circuit was made with. */
      chain: Natural,
      pipeline: Natural,
      /** Widths of the ports in their order. */
      inputs: t.array(Natural),
      outputs: t.array(t.type({ width: Natural, signed: t.boolean })),
    }),
    t.partial({
      /** What each port takes, null where it has no effect; absent where port k is element k of `codes`. */
      sources: t.array(t.union([t.null, t.type({ value: t.string, element: Natural })])),
    }),
  ]),
});

export type VerilogManifest = t.TypeOf<typeof VerilogManifestCodec>;

/** Reads a manifest; K0603 when it is none. */
export const parseVerilogManifest = parseManifestOf(VerilogManifestCodec, 'a Verilog artifact');

/** The layers that become tables in logic; there are no constants beside it. */
const layersOf = (graph: Graph<'table'>): VerilogManifest['layers'] => {
  const types = typesOf(graph);
  return graph.nodes.flatMap((node) => {
    const operands = node.operands.flatMap((name) => types.get(name) ?? []);
    if (countEdges(node, operands) === 0) return [];
    const inputs = operands[0]!.shape[0]!;
    const outputs = node.type.shape[0]!;
    const summary = { op: node.op.kind, form: 'unrolled', inputs, outputs };
    return [describeLayer(graph, { name: node.name, summary }, 0)];
  });
};

/** Where the codes of the ports stand in the graph, shortly where they are one value. */
const sourcesOf = ({ inputs }: Circuit): Pick<VerilogManifest['rtl'], 'codes' | 'sources'> => {
  const [codes = '', ...others] = portValues(inputs);
  const isPlain = others.length === 0 && inputs.every(({ source }, k) => source?.element === k);
  return isPlain ? { codes } : { codes, sources: inputs.map(({ source }) => source ?? null) };
};

/** What each port takes; undefined where it has no effect. */
export const portSources = ({
  codes,
  sources,
  inputs,
}: VerilogManifest['rtl']): ReadonlyArray<ElementOf | undefined> =>
  sources === undefined
    ? inputs.map((_, element) => ({ value: codes, element }))
    : sources.map((source) => source ?? undefined);

/** `seen`: samples that don't-cares come from. */
export const verilogManifestOf = (
  graph: Graph<'table'>,
  circuit: Circuit,
  module: string,
  options: { readonly chain: number; readonly pipeline: number },
  figures: Figures,
  seen: number | undefined,
  files: ReadonlyMap<string, Uint8Array | string>,
  context: EmitContext,
): VerilogManifest => {
  const types = typesOf(graph);
  const value = (name: Graph['outputs'][number]) => ({ name, type: types.get(name)! });
  const ends = { input: graph.inputs[0]!, output: value(graph.outputs[0]!), raw: value(circuit.to) };
  return {
    ...manifestHead('verilog', graph, ends, context),
    layers: layersOf(graph),
    rtl: {
      module,
      ...sourcesOf(circuit),
      ...figures,
      ...options,
      dontCares: seen === undefined ? 'proven' : `data: ${seen} samples`,
      inputs: circuit.inputs.map(({ width }) => width),
      outputs: circuit.outputs.map(({ width, signed }) => ({ width, signed })),
    },
    ...manifestTail(files, context),
  };
};
