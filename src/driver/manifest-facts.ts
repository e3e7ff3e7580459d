/**
 * What a manifest says of a network, against the graph beside it: a manifest can be edited, and its numbers decide how far
 * loops run and how much memory is taken.
 */
import { isDeepStrictEqual } from 'node:util';
import * as E from 'fp-ts/lib/Either.js';
import { match } from 'ts-pattern';
import type { ArtifactManifest } from '../backends/artifact-manifest.js';
import { describeInput } from '../backends/shared/manifest.js';
import { type Checked, fail, printable } from '../diagnostics/index.js';
import { elementCount } from '../ir/constant.js';
import { showElement } from '../ir/element.js';
import { type Graph, toValueName, typesOf } from '../ir/graph.js';
import { channelsOf, sizeOf, type ValueType } from '../ir/types.js';

/** Gives what is wrong, as the end of a sentence; undefined where nothing is. */
type Fault = string | undefined;

type TypeOf = (name: string) => ValueType | undefined;

const named = (name: string): string => `'${printable(name, 60)}'`;

const endsFault = ({ input, output, raw }: ArtifactManifest, graph: Graph, typeOf: TypeOf): Fault => {
  const [given] = graph.inputs;
  const result = typeOf(graph.outputs[0] ?? '');
  if (given === undefined || result === undefined) return 'the graph has no input or no output';
  // What codes mean decides no size, and is for `verify` to find different.
  const { quantizers: _, ...stated } = input;
  const { quantizers: __, ...described } = describeInput(graph, given);
  if (!isDeepStrictEqual(stated, described)) return `the input is not %${given.name} as model.kir has it`;
  const dtype = result.element.kind === 'f32' ? 'f32' : 'i32';
  if (
    typeOf(output.name) === undefined ||
    output.dtype !== dtype ||
    !isDeepStrictEqual(output.shape, [...result.shape])
  ) {
    return `the output is not %${graph.outputs[0]} as model.kir has it`;
  }
  // Values that are only looked at in another shape may stand for each other.
  const integers = typeOf(raw.name);
  const isRaw = integers !== undefined && integers.element.kind !== 'f32';
  return isRaw && raw.element === showElement(integers.element) && elementCount(raw.shape) === sizeOf(result)
    ? undefined
    : `the integers ${named(raw.name)} are not as model.kir has them`;
};

interface Kept {
  readonly name: string;
  readonly length: number;
  readonly channels?: number;
}

/** Values of which a program keeps the elements of one sample, all channels of a position together. */
const keptFault = (values: ReadonlyArray<Kept>, typeOf: TypeOf): Fault => {
  for (const { name, length, channels = 1 } of values) {
    const type = typeOf(name);
    if (type === undefined) return `model.kir has no value ${named(name)}`;
    if (length !== sizeOf(type)) return `${named(name)} has ${sizeOf(type)} elements, not ${length}`;
    if (channels !== 1 && channels !== channelsOf(type)) {
      return `${named(name)} has ${channelsOf(type)} channels, not ${channels}`;
    }
  }
  return undefined;
};

/** Values in one buffer, one behind the other. */
const placesFault = (
  values: ReadonlyArray<{ readonly name: string; readonly start: number; readonly length: number }>,
): Fault => {
  let end = 0;
  for (const { name, start, length } of values) {
    if (start !== end) return `${named(name)} begins at word ${end}, not ${start}`;
    end += length;
  }
  return undefined;
};

/** Most bits of a port: those of an accumulator. */
const WIDEST = 64;

type Rtl = Extract<ArtifactManifest, { target: 'verilog' }>['rtl'];

/** A port for each element of one value, or for each of the elements that are named one by one. */
const inputPortsFault = ({ codes, inputs, sources }: Rtl, typeOf: TypeOf): Fault => {
  const absent = (value: string): string =>
    `model.kir has no value ${named(value)}, whose codes the ports take`;
  if (sources === undefined) {
    const type = typeOf(codes);
    if (type === undefined) return absent(codes);
    const size = sizeOf(type);
    return inputs.length === size ? undefined : `${inputs.length} input ports for ${size} codes`;
  }
  if (inputs.length !== sources.length) return `${inputs.length} input ports for ${sources.length} sources`;
  for (const source of sources) {
    if (source === null) continue;
    const type = typeOf(source.value);
    if (type === undefined) return absent(source.value);
    if (source.element >= sizeOf(type)) return `${named(source.value)} has no element ${source.element}`;
  }
  return undefined;
};

const portsFault = (rtl: Rtl, raws: number, typeOf: TypeOf): Fault => {
  const { inputs, outputs } = rtl;
  const fault = inputPortsFault(rtl, typeOf);
  if (fault !== undefined) return fault;
  if (outputs.length !== raws) return `${outputs.length} output ports for ${raws} integers`;
  const wide = [...inputs, ...outputs.map(({ width }) => width)].find((width) => width > WIDEST);
  return wide === undefined ? undefined : `a port of ${wide} bits`;
};

const targetFault = (manifest: ArtifactManifest, typeOf: TypeOf): Fault =>
  match(manifest)
    .with({ target: 'wasm' }, ({ buffers }) => keptFault(buffers, typeOf))
    .with(
      { target: 'wgsl' },
      ({ program }) => keptFault(program.values, typeOf) ?? placesFault(program.values),
    )
    .with({ target: 'c' }, ({ code }) => keptFault(code.values, typeOf))
    .with({ target: 'verilog' }, ({ rtl, raw }) => portsFault(rtl, elementCount(raw.shape), typeOf))
    .with({ target: 'hls' }, () => undefined)
    .exhaustive();

/** Whether the ends of the program and the values that it keeps are those of the graph (K0603). */
export const checkFacts = (manifest: ArtifactManifest, graph: Graph): Checked<void> => {
  const types = typesOf(graph);
  const typeOf: TypeOf = (name) => {
    const known = toValueName(name);
    return known === undefined ? undefined : types.get(known);
  };
  const fault = endsFault(manifest, graph, typeOf) ?? targetFault(manifest, typeOf);
  return fault === undefined
    ? E.right(undefined)
    : fail('K0603', `manifest.json does not fit model.kir: ${fault}`, {
        expected: 'the files of one compilation, as kanc wrote them',
        hint: 'Compile the model again.',
      });
};
