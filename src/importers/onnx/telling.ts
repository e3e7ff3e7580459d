/** What can be told of a graph that is no network of layers as a whole. */
import * as E from 'fp-ts/lib/Either.js';
import type { Diagnostics } from '../../diagnostics/index.js';
import { isOnnx, readOnnx } from '../containers/onnx/index.js';
import type { ImportOptions } from '../family.js';
import type { Source } from '../source.js';
import { tensorProgram } from './family.js';

/**
 * Names of values that stand directly before the node that a lift ended at: with one of them as the output a part of
 * the network may be read. None for other failures.
 */
export const valuesBefore = (
  source: Source,
  options: ImportOptions,
  [first]: Diagnostics,
): ReadonlyArray<string> => {
  const node = first.place.op;
  if (first.code !== 'K0221' || node === undefined || !isOnnx(source.bytes)) return [];
  const model = readOnnx(source.bytes, source.file, source.beside);
  if (E.isLeft(model)) return [];
  const program = tensorProgram(model.right, options);
  if (E.isLeft(program)) return [];
  const { nodes } = program.right;
  const operands = nodes
    .filter((n) => n.origin.node === node)
    .flatMap((n) => n.operands.map((o) => nodes[o]!));
  const names = operands
    .filter(({ op, origin }) => op.kind !== 'constant' && op.kind !== 'input' && origin.node !== node)
    .map(({ name }) => name);
  return [...new Set(names)];
};
