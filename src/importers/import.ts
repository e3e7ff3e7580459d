/** From a checkpoint to a graph: finds the family and lets its importer read it. */

import * as E from 'fp-ts/lib/Either.js';
import { at, type Checked, fail, printable } from '../diagnostics/index.js';
import { firstUnfit } from '../ir/constant.js';
import type { Graph } from '../ir/graph.js';
import { visitConstants } from '../ir/resources.js';
import { draftArchitecture } from './arch/draft/index.js';
import { described } from './arch/family.js';
import { type Checkpoint, checkpointOf } from './containers/checkpoint.js';
import { openCheckpoint } from './containers/index.js';
import { dotted, renaming } from './containers/select.js';
import { isIndex } from './containers/sharded.js';
import type { TensorFile } from './containers/tensor.js';
import { chebyKan } from './families/cheby/index.js';
import { efficientKan } from './families/efficient-kan.js';
import { fasterKan, fastKan } from './families/fast-kan.js';
import { kanele } from './families/kanele.js';
import { pykan } from './families/pykan/index.js';
import { resKanet } from './families/reskanet.js';
import type { Assumption, DocumentFamily, Family, ImportOptions, Reading } from './family.js';
import { foldParts } from './fold.js';
import { heedingAll } from './heeded.js';
import { listed } from './listed.js';
import { wholeModule } from './modules/index.js';
import { asOneLayer, ofOneLayer } from './numbered-layers.js';
import { onnx } from './onnx/family.js';
import { placesOf, type Recognised, recognised } from './recognise.js';
import { inScope, under } from './scope.js';
import { indexOf, type Source, sourceOf } from './source.js';
import { consumingAll } from './unconsumed.js';

/** In the order in which they are tried. */
export const FAMILIES: ReadonlyArray<Family> = [
  pykan,
  resKanet,
  wholeModule,
  efficientKan,
  fastKan,
  fasterKan,
  chebyKan,
  described,
];

/** Families with a file format of their own; tried before the containers of tensors. */
export const DOCUMENT_FAMILIES: ReadonlyArray<DocumentFamily> = [kanele, onnx];

const ALL = [...FAMILIES, ...DOCUMENT_FAMILIES];

/** A network that was read, and what there is to say about the reading. */
export interface Imported extends Reading {
  readonly family: string;
  /** The container of the tensors, or the format of the family. */
  readonly format: string;
  /** How many numbers the checkpoint stores for the network, grids included. */
  readonly parameters: number;
  /** Weights that the checkpoint keeps in parts, and how they were put together. */
  readonly folded: ReadonlyArray<string>;
}

/** Reads a checkpoint. Diagnostics name `source.file`. */
export const importSource = (source: Source, options: ImportOptions = {}): Checked<Imported> => {
  const shard = loneShard(source);
  if (E.isLeft(shard)) return shard;
  const document = DOCUMENT_FAMILIES.find((f) =>
    options.family === undefined ? !isIndex(source.bytes) && f.recognises(source) : f.name === options.family,
  );
  if (document !== undefined) {
    const { name, format } = document;
    const read = at({ file: source.file })(
      heedingAll(options, { name, kind: 'document' }, (heeded) => document.read(source, heeded)),
    );
    if (E.isLeft(read)) return read;
    return E.right({ ...read.right, family: name, format, folded: [] });
  }
  const opened = openCheckpoint(source.bytes, source.file, source.beside);
  return E.isLeft(opened) ? opened : at({ file: source.file })(readFamily(opened.right, options, source));
};

/** The tensors of a source that the prefix chooses, before any family has read them. Diagnostics name `source.file`. */
export const tensorsOf = (
  source: Source,
  options: Pick<ImportOptions, 'prefix'> = {},
): Checked<TensorFile> => {
  const shard = loneShard(source);
  if (E.isLeft(shard)) return shard;
  const opened = openCheckpoint(source.bytes, source.file, source.beside);
  if (E.isLeft(opened)) return opened;
  const scoped = inScope(opened.right, { prefix: options.prefix, whole: true }, (file) => E.right(file));
  return at({ file: source.file })(E.map(({ read }: { read: TensorFile }) => read)(scoped));
};

/** A shard is a part of a network, which may look like a smaller one. */
const loneShard = ({ file, name }: Source): Checked<void> => {
  const index = indexOf(name);
  return index === undefined
    ? E.right(undefined)
    : fail('K0115', 'the file is one shard of a checkpoint in several', {
        place: { file },
        expected: `${printable(index, 100)}, the index of all, with the shards beside it`,
      });
};

/**
 * Reads a checkpoint's bytes as a graph: float for trained networks, a table graph for networks of integers.
 * `file` is for messages and, with `beside`, for families of several files: their contents by name.
 */
export const importCheckpoint = (
  bytes: Uint8Array,
  file: string,
  options: ImportOptions = {},
  beside: ReadonlyMap<string, Uint8Array> = new Map(),
): Checked<Graph> => E.map((i: Imported) => i.graph)(importSource(sourceOf(bytes, file, beside), options));

/** The same for tensors that were read already. */
export const importTensors = (file: TensorFile, options: ImportOptions = {}): Checked<Graph> =>
  E.map((i: Imported) => i.graph)(readFamily(checkpointOf(file), options, NO_SOURCE));

const readFamily = (checkpoint: Checkpoint, options: ImportOptions, source: Source): Checked<Imported> => {
  const scoped = inScope(
    checkpoint,
    { prefix: options.prefix, whole: options.architecture !== undefined },
    (file) => readTensors(file, options, source),
  );
  return E.map(
    ({ read, notes }: { read: Imported; notes: Reading['assumptions'] }): Imported => ({
      ...read,
      assumptions: [...notes, ...read.assumptions],
    }),
  )(scoped);
};

const readTensors = (stored: TensorFile, options: ImportOptions, source: Source): Checked<Imported> => {
  const whole = foldParts(stored);
  if (E.isLeft(whole)) return whole;
  const { file, folded } = whole.right;
  const found = familyOf(file, options);
  if (E.isLeft(found)) return found;
  const { family, alone } = found.right;
  const tensors = alone ? asOneLayer(file) : file;
  const own = alone ? ofOneLayer : (name: string): string => name;
  const consumed = renaming(own)(
    heedingAll(options, { name: family.name, kind: 'tensors' }, (heeded) =>
      consumingAll(tensors, options, (recorded) => family.read(recorded, heeded, source), {
        own,
        lone: family.lone === true,
      }),
    ),
  );
  if (E.isLeft(consumed)) return consumed;
  const { read, left } = consumed.right;
  const finite = checkFinite(read.graph);
  if (E.isLeft(finite)) return finite;
  return E.right({
    graph: read.graph,
    assumptions: [...read.assumptions, ...leftOut(left)],
    family: family.name,
    format: file.container,
    folded,
    parameters: [...stored.tensors.values()].reduce((n, t) => n + t.data.length, 0),
  });
};

/** The family that is asked for, else the one that recognises the tensors. */
const familyOf = (file: TensorFile, { architecture, family, prefix }: ImportOptions): Checked<Recognised> => {
  if (architecture !== undefined) return E.right({ family: described, alone: false });
  if (family === undefined) {
    const found = recognised(FAMILIES, file);
    return found === undefined ? unknown(file, prefix) : E.right(found);
  }
  const asked = FAMILIES.find((f) => f.name === family);
  if (asked === undefined) return noFamily(family);
  return E.right(recognised([asked], file) ?? { family: asked, alone: false });
};

const noFamily = (name: string): Checked<never> =>
  fail('K0206', `there is no family '${printable(name, 60)}'`, {
    place: { option: '--family' },
    expected: `one of ${ALL.map((f) => f.name).join(', ')}`,
  });

const unknown = (file: TensorFile, prefix: string | undefined): Checked<never> => {
  const tensors = [...file.tensors];
  const shown = listed(tensors, 6, ([name, t]) => `${printable(name, 60)} [${t.shape.join(', ')}]`);
  return fail('K0201', `the ${tensors.length} tensors match no KAN family (found: ${shown || 'none'})`, {
    expected: `a checkpoint of ${ALL.filter((f) => f !== described && f !== wholeModule)
      .map((f) => f.name)
      .join(', ')}, whose tensors docs/checkpoints.md names`,
    hint: partsHint(file, prefix) + hintFor(file),
  });
};

/** Sends to drafts only where one can be made; otherwise says why not, and what can be done about it. */
const hintFor = (file: TensorFile): string => {
  const draft = draftArchitecture(file);
  if (E.isLeft(draft)) {
    const [{ message, hint }] = draft.left;
    return `Nor is there a draft of an architecture file: ${message}. ${hint ?? ''}`.trimEnd();
  }
  return 'Other networks are told by an architecture file: kanc import --draft-arch writes a first version (with --check golden_inputs.npy golden_outputs.npy one that is tried), --arch takes it.';
};

const NO_SOURCE = sourceOf(new Uint8Array(0), '');

/** What looks like a layer of ours may have more than ours has, so that its prefix would lead to the next error. */
const readsAlone = (file: TensorFile, prefix: string): boolean =>
  E.isRight(under(file, dotted(prefix), (part) => readTensors(part, {}, NO_SOURCE)));

/** Where in the file there is something that can be read by itself. */
const partsHint = (file: TensorFile, prefix: string | undefined): string => {
  const places = placesOf(FAMILIES, file).filter((place) => readsAlone(file, place.prefix));
  const whole = (place: string): string => printable(dotted(prefix ?? '') + place, 60);
  const [first] = places;
  if (first === undefined) return '';
  const list = listed(
    places,
    3,
    (p) => `'${whole(p.prefix)}' (${p.alone ? 'a layer' : 'a network'} of ${p.family.name})`,
  );
  return `In it are ${list}: --prefix ${whole(first.prefix)} reads that one alone. `;
};

const leftOut = (names: ReadonlyArray<string>): ReadonlyArray<Assumption> => {
  if (names.length === 0) return [];
  const shown = listed(names, 6, (name) => printable(name, 60));
  return [
    {
      what: `tensors that the family does not have: ${shown}`,
      assumed: 'no part of the network',
    },
  ];
};

/** Weights are finite in the file, but what is folded into them may make them too large for f32. */
const checkFinite = (graph: Graph): Checked<void> => {
  for (const { name, op } of graph.nodes) {
    let fits = true;
    visitConstants(op.attrs, (c) => {
      if (c.element.kind === 'f32' && firstUnfit(c) >= 0) fits = false;
    });
    if (!fits) {
      return fail('K0204', 'a weight times its scales is too large for a 32-bit float', {
        place: { op: name },
        expected: 'finite products',
      });
    }
  }
  return E.right(undefined);
};
