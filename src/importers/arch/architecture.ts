/** Architecture files: a small declarative description of a network whose tensors a checkpoint holds. */
import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { type Checked, fail, printable } from '../../diagnostics/index.js';
import { integer, record } from '../../ir/codec.js';
import { parseJson } from '../../ir/strict-json.js';
import { ELEMENT_LIMIT } from '../families/conv/scope.js';
import { type LayerSpec, Layers } from './layers.js';

export interface Architecture {
  /** Shape of one sample: [features] or [channels, height, width]. */
  readonly input: ReadonlyArray<number>;
  readonly layers: ReadonlyArray<LayerSpec>;
  /** What a draft has guessed; notes for people. */
  readonly assumed?: ReadonlyArray<string>;
}

const TEXT_LIMIT = 16 * 2 ** 20;
const DEPTH_LIMIT = 64;

/** Most layers of a network, those inside of others included. */
export const LAYER_LIMIT = 2000;

const layerCount = (layers: ReadonlyArray<LayerSpec>): number =>
  layers.reduce(
    (n, layer) =>
      n + 1 + (layer.type === 'residual' ? layerCount(layer.body) + layerCount(layer.shortcut ?? []) : 0),
    0,
  );

/** Limits the shape that everything after it is computed from. */
export const InputShape: t.Type<ReadonlyArray<number>, unknown, unknown> = new t.Type(
  `[features] or [channels, height, width] of at most ${ELEMENT_LIMIT} elements`,
  (u): u is ReadonlyArray<number> => isInputShape(u),
  (u, c) => (InputShape.is(u) ? t.success(u) : t.failure(u, c)),
  (a) => a,
);

const dimension = integer(1, ELEMENT_LIMIT);

export const isInputShape = (u: unknown): boolean =>
  Array.isArray(u) &&
  (u.length === 1 || u.length === 3) &&
  u.every((d) => dimension.is(d)) &&
  u.reduce((n, d) => n * d, 1) <= ELEMENT_LIMIT;

const ArchitectureCodec: t.Type<Architecture, unknown, unknown> = record(
  { input: InputShape, layers: Layers },
  { assumed: t.readonlyArray(t.string) },
);

/** The place of an error as one writes it in JavaScript: `layers[3].body[0].stride`. */
const pathOf = (context: t.Context): string =>
  context
    .map(({ key }, k) => {
      // The members of an intersection are numbered as well; only items of lists are.
      if (/^\d+$/.test(key)) return Array.isArray(context[k - 1]?.actual) ? `[${key}]` : '';
      return key === '' ? '' : `.${key}`;
    })
    .join('')
    .replace(/^\./, '');

const showFound = (u: unknown): string => {
  if (u === undefined) return 'nothing';
  const text = JSON.stringify(u) ?? String(u);
  return printable(text, 80);
};

const showError = (e: t.ValidationError): string => {
  const path = pathOf(e.context) || 'the file';
  if (e.message !== undefined) return `${path}: ${e.message}`;
  return `${path}: expected ${e.context.at(-1)?.type.name ?? 'another value'}, found ${showFound(e.value)}`;
};

/** An architecture from JSON that was read already. K0209 where it breaks the format. */
export const decodeArchitecture = (json: unknown): Checked<Architecture> => {
  const decoded = ArchitectureCodec.decode(json);
  if (E.isRight(decoded)) {
    const count = layerCount(decoded.right.layers);
    return count <= LAYER_LIMIT
      ? decoded
      : fail('K0113', `there are ${count} layers`, { expected: `at most ${LAYER_LIMIT}` });
  }
  const shown = [...new Set(decoded.left.map(showError))].slice(0, 3);
  return fail('K0209', shown.join('; '), {
    hint: 'docs/architecture-files.md describes the format; kanc import --draft-arch writes a first version.',
  });
};

/** How deep brackets nest, outside of strings. Decoding recurses, so that a depth must be known before. */
const depthOf = (text: string): number => {
  let [depth, deepest] = [0, 0];
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/g)) {
    if (token === '[' || token === '{') deepest = Math.max(deepest, ++depth);
    else if (token === ']' || token === '}') depth--;
  }
  return deepest;
};

/** An architecture from the text of a file. `file` is for messages. */
export const parseArchitecture = (text: string, file: string): Checked<Architecture> => {
  const place = { file };
  if (text.length > TEXT_LIMIT) {
    return fail('K0113', `the architecture file has ${text.length} characters`, {
      place,
      expected: `at most ${TEXT_LIMIT}`,
    });
  }
  if (depthOf(text) > DEPTH_LIMIT) {
    return fail('K0113', 'the architecture file nests too deeply', {
      place,
      expected: `at most ${DEPTH_LIMIT} brackets inside each other`,
    });
  }
  const json = parseJson(text);
  if (E.isLeft(json)) return fail('K0209', `the file cannot be read: ${json.left}`, { place });
  const decoded = decodeArchitecture(json.right);
  return E.isLeft(decoded)
    ? E.left([{ ...decoded.left[0], place: { ...place, ...decoded.left[0].place } }])
    : decoded;
};
