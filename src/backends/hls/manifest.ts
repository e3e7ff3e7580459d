/** The manifest of an HLS artifact: the choices that made the design, and what it is estimated to take. */
import * as t from 'io-ts';
import type { Graph } from '../../ir/graph.js';
import type { EmitContext } from '../backend.js';
import { Identifier } from '../cpp/names.js';
import { summaryOf } from '../cpp/stage.js';
import {
  COMMON,
  describeLayer,
  manifestHead,
  manifestTail,
  Natural,
  parseManifestOf,
} from '../shared/manifest.js';
import type { Design } from './design.js';
import { estimateOf } from './estimate.js';

export const HlsManifestCodec = t.type({
  ...COMMON,
  target: t.literal('hls'),
  design: t.type({
    /** Of the top function and its files. */
    name: Identifier,
    architecture: t.keyof({ unrolled: null, folded: null }),
    interface: t.keyof({ vector: null, axis: null }),
    part: t.string,
    /** Nanoseconds. */
    clock: t.number,
    /** Made before any synthesis: clocks, and LUTs of unrolled designs. */
    estimate: t.type({ latency: Natural, interval: Natural, luts: Natural }),
  }),
});

export type HlsManifest = t.TypeOf<typeof HlsManifestCodec>;

/** Reads a manifest; K0603 when it is none. */
export const parseHlsManifest = parseManifestOf(HlsManifestCodec, 'an HLS artifact');

export const hlsManifestOf = (
  graph: Graph<'table'>,
  design: Design,
  files: ReadonlyMap<string, Uint8Array | string>,
  context: EmitContext,
): HlsManifest => {
  const { stages, latency, interval, luts } = estimateOf(design);
  return {
    ...manifestHead('hls', graph, design.program, context),
    layers: stages.map(({ stage, bits }) => describeLayer(graph, summaryOf(stage), Math.ceil(bits / 8))),
    design: {
      name: design.name,
      architecture: design.architecture,
      interface: design.interface,
      part: design.part,
      clock: design.clock,
      estimate: { latency, interval, luts },
    },
    ...manifestTail(files, context),
  };
};
