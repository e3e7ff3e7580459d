/** From a checkpoint to a graph: finds the family and lets its importer read it. */
import * as E from 'fp-ts/lib/Either.js';
import { at, type Checked, fail, printable } from '../diagnostics/index.js';
import { firstUnfit } from '../ir/constant.js';
import type { Graph } from '../ir/graph.js';
import { visitConstants } from '../ir/resources.js';
import { draftArchitecture } from './arch/draft/index.js';
import { described } from './arch/family.js';
import { readCheckpoint } from './containers/index.js';
import type { TensorFile } from './containers/tensor.js';
import { chebyKan } from './families/cheby-kan.js';
import { efficientKan } from './families/efficient-kan.js';
import { fasterKan, fastKan } from './families/fast-kan.js';
import { kanele } from './families/kanele.js';
import { pykan } from './families/pykan.js';
import { resKanet } from './families/reskanet.js';
import type { Assumption, DocumentFamily, Family, ImportOptions, Reading } from './family.js';
import { foldParts } from './fold.js';
import { heedingAll } from './heeded.js';
import { inScope } from './scope.js';
import { type Source, sourceOf } from './source.js';
import { consumingAll } from './unconsumed.js';

/** In the order in which they are tried. */
export const FAMILIES: ReadonlyArray<Family> = [
  efficientKan,
  fastKan,
  fasterKan,
  pykan,
  chebyKan,
  resKanet,
  described,
];

/** Families with a file format of their own; tried before the containers of tensors. */
export const DOCUMENT_FAMILIES: ReadonlyArray<DocumentFamily> = [kanele];

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
  const document = DOCUMENT_FAMILIES.find((f) =>
    options.family === undefined ? f.recognises(source) : f.name === options.family,
  );
  if (document !== undefined) {
    const { name, format } = document;
    const read = at({ file: source.file })(
      heedingAll(options, { name, kind: 'document' }, (heeded) => document.read(source, heeded)),
    );
    if (E.isLeft(read)) return read;
    return E.right({ ...read.right, family: name, format, folded: [] });
  }
  const tensors = readCheckpoint(source.bytes, source.file);
  return E.isLeft(tensors) ? tensors : at({ file: source.file })(readFamily(tensors.right, options, source));
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
  E.map((i: Imported) => i.graph)(readFamily(file, options, sourceOf(new Uint8Array(0), '')));

const readFamily = (file: TensorFile, options: ImportOptions, source: Source): Checked<Imported> =>
  inScope(file, options.prefix, (scoped) => {
    const whole = foldParts(scoped);
    if (E.isLeft(whole)) return whole;
    const { file: tensors, folded } = whole.right;
    const name = options.architecture === undefined ? options.family : described.name;
    const family = FAMILIES.find((f) => (name === undefined ? f.recognises(tensors) : f.name === name));
    if (family === undefined)
      return options.family === undefined ? unknown(tensors) : noFamily(options.family);
    const consumed = heedingAll(options, { name: family.name, kind: 'tensors' }, (heeded) =>
      consumingAll(tensors, options, (recorded) => family.read(recorded, heeded, source)),
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
      parameters: [...scoped.tensors.values()].reduce((n, t) => n + t.data.length, 0),
    });
  });

const noFamily = (name: string): Checked<never> =>
  fail('K0206', `there is no family '${printable(name, 60)}'`, {
    place: { option: '--family' },
    expected: `one of ${ALL.map((f) => f.name).join(', ')}`,
  });

const unknown = (file: TensorFile): Checked<never> => {
  const names = [...file.tensors].map(([name, t]) => `${printable(name, 60)} [${t.shape.join(', ')}]`);
  const shown = names.slice(0, 6).join(', ') + (names.length > 6 ? ` and ${names.length - 6} more` : '');
  return fail('K0201', `the ${names.length} tensors match no KAN family (found: ${shown || 'none'})`, {
    expected: `a checkpoint of one of: ${ALL.map((f) => `${f.name} (${f.signature})`).join('; ')}`,
    hint: hintFor(file),
  });
};

/** Sends to drafts only where one can be made. */
const hintFor = (file: TensorFile): string => {
  const draft = draftArchitecture(file);
  return E.isRight(draft)
    ? 'Other networks are told by an architecture file: kanc import --draft-arch writes a first version (with --check golden_inputs.npy golden_outputs.npy one that is tried), --arch takes it.'
    : `An architecture file cannot say this network either: ${draft.left[0].message}.${ONLY_FORM}`;
};

const ONLY_FORM =
  ' What can be read are the layers of docs/checkpoints.md and docs/architecture-files.md, under the names that they have there.';

const leftOut = (names: ReadonlyArray<string>): ReadonlyArray<Assumption> => {
  if (names.length === 0) return [];
  const shown = names.slice(0, 6).map((name) => printable(name, 60));
  const more = names.length > shown.length ? ` and ${names.length - shown.length} more` : '';
  return [
    {
      what: `tensors that the family does not have: ${shown.join(', ')}${more}`,
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
