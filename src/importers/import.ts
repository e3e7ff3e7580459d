/** From the tensors of a checkpoint to a float graph: finds the family and lets its importer read it. */
import * as E from 'fp-ts/lib/Either.js';
import { at, type Checked, fail, printable } from '../diagnostics/index.js';
import type { Graph } from '../ir/graph.js';
import { readCheckpoint } from './containers/index.js';
import type { TensorFile } from './containers/tensor.js';
import { efficientKan } from './families/efficient-kan.js';
import type { Family, ImportOptions } from './family.js';
import { inScope } from './scope.js';
import { consumingAll } from './unconsumed.js';

/** In the order in which they are tried. */
export const FAMILIES: ReadonlyArray<Family> = [efficientKan];

/** Reads a checkpoint's bytes as a float graph. `file` is for messages. */
export const importCheckpoint = (
  bytes: Uint8Array,
  file: string,
  options: ImportOptions = {},
): Checked<Graph<'float'>> => {
  const tensors = readCheckpoint(bytes, file);
  return E.isLeft(tensors) ? tensors : at({ file })(importTensors(tensors.right, options));
};

export const importTensors = (file: TensorFile, options: ImportOptions = {}): Checked<Graph<'float'>> =>
  inScope(file, options.prefix, (scoped) => readFamily(scoped, options));

const readFamily = (file: TensorFile, options: ImportOptions): Checked<Graph<'float'>> => {
  const family =
    options.family === undefined
      ? FAMILIES.find((f) => f.recognises(file))
      : FAMILIES.find((f) => f.name === options.family);
  if (family !== undefined) return consumingAll(file, options, (f) => family.read(f, options));
  const known = FAMILIES.map((f) => f.name).join(', ');
  if (options.family !== undefined) {
    return fail('K0206', `there is no family '${printable(options.family, 60)}'`, {
      place: { option: '--family' },
      expected: `one of ${known}`,
    });
  }
  const names = [...file.tensors].map(([name, t]) => `${printable(name, 60)} [${t.shape.join(', ')}]`);
  const shown = names.slice(0, 6).join(', ') + (names.length > 6 ? ` and ${names.length - 6} more` : '');
  return fail('K0201', `the ${names.length} tensors match no KAN family (found: ${shown || 'none'})`, {
    expected: `a checkpoint of one of: ${FAMILIES.map((f) => `${f.name} (${f.signature})`).join('; ')}`,
  });
};
