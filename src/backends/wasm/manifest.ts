/** The manifest of a WASM artifact: what `kanc run`, `eval`, `verify` and `report` read. */
import * as t from 'io-ts';
import type { Graph } from '../../ir/graph.js';
import type { EmitContext } from '../backend.js';
import {
  COMMON,
  describeLayer,
  manifestHead,
  manifestTail,
  Natural,
  parseManifestOf,
  Size,
} from '../shared/manifest.js';
import type { Layout } from './layout.js';
import type { Plan } from './plan.js';

export const WasmManifestCodec = t.type({
  ...COMMON,
  target: t.literal('wasm'),
  memory: t.type({
    pages: Size,
    capacity: Size,
    input: t.type({ address: Natural, stride: Size }),
    output: t.type({ address: Natural }),
  }),
  /** Every materialised value; valid after a call with one sample. */
  buffers: t.array(
    t.type({
      name: t.string,
      address: Natural,
      element: t.keyof({ u8: null, u16: null, i16: null, i32: null, f32: null }),
      length: Size,
      /** Channels of the value, which stand interleaved: element (channel c, position p) lies at p * channels + c. */
      channels: Size,
    }),
  ),
});

export type Manifest = t.TypeOf<typeof WasmManifestCodec>;

/** Reads a manifest; K0603 when it is none. */
export const parseManifest = parseManifestOf(WasmManifestCodec, 'a WASM artifact');

export const manifestOf = (
  graph: Graph<'table'>,
  plan: Plan,
  layout: Layout,
  files: ReadonlyMap<string, Uint8Array | string>,
  context: EmitContext,
): Manifest => ({
  ...manifestHead('wasm', graph, plan, context),
  layers: plan.kernels.map((k) =>
    describeLayer(
      graph,
      k,
      k.blocks.reduce((n, b) => n + b.length, 0),
    ),
  ),
  memory: {
    pages: layout.pages,
    capacity: layout.capacity,
    input: layout.input,
    output: { address: layout.output.address },
  },
  buffers: layout.buffers.map((b) => ({
    name: b.name,
    address: b.address,
    element: b.storage,
    length: b.length,
    channels: b.channels,
  })),
  ...manifestTail(files, context),
});
