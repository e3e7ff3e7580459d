/** The manifest of a C artifact: what it is called, the memory it takes, and what its stages leave there. */
import * as t from 'io-ts';
import type { Graph } from '../../ir/graph.js';
import type { EmitContext } from '../backend.js';
import { elementText, type Memory } from '../cpp/memory.js';
import { Identifier } from '../cpp/names.js';
import type { Program } from '../cpp/program.js';
import { summaryOf } from '../cpp/stage.js';
import { tableForm } from '../cpp/table.js';
import {
  COMMON,
  describeLayer,
  manifestHead,
  manifestTail,
  Natural,
  parseManifestOf,
  Size,
} from '../shared/manifest.js';
import { type CStyle, ScratchCodec } from './header.js';

/** A value that a program keeps: element (channel c, position p) lies at p * channels + c. */
const ValueCodec = t.type({
  name: t.string,
  element: t.keyof({ u8: null, i8: null, u16: null, i16: null, u32: null, i32: null, f32: null }),
  length: Size,
  channels: Size,
});

export type KeptValue = t.TypeOf<typeof ValueCodec>;

export const CManifestCodec = t.type({
  ...COMMON,
  target: t.literal('c'),
  code: t.type({
    /** Of files and functions. */
    name: Identifier,
    scratch: ScratchCodec,
    /** Bytes of tables. */
    constants: Natural,
    /** Bytes of what lies between the stages. */
    memory: Natural,
    /** What each stage leaves, in the order of the stages. */
    values: t.array(ValueCodec),
  }),
});

export type CManifest = t.TypeOf<typeof CManifestCodec>;

/** Reads a manifest; K0603 when it is none. */
export const parseCManifest = parseManifestOf(CManifestCodec, 'a C artifact');

export const cManifestOf = (
  graph: Graph<'table'>,
  program: Program,
  memory: Memory,
  style: CStyle,
  files: ReadonlyMap<string, Uint8Array | string>,
  context: EmitContext,
): CManifest => {
  const layers = program.stages.map((stage) =>
    describeLayer(
      graph,
      summaryOf(stage),
      stage.tables.reduce((n, table) => n + tableForm(table, style.pack).bytes, 0),
    ),
  );
  return {
    ...manifestHead('c', graph, program, context),
    layers,
    code: {
      name: style.name,
      scratch: style.scratch,
      constants: layers.reduce((n, l) => n + l.bytes, 0),
      memory: memory.bytes,
      values: program.stages.map(({ output }) => ({
        name: output.value,
        element: elementText(output.type),
        length: output.length,
        channels: output.channels,
      })),
    },
    ...manifestTail(files, context),
  };
};
