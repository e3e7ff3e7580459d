/** Checkpoints and the graphs exported from them: the same bases, knots and weights, whichever way they came in. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { importSource } from '../../src/importers/import.js';
import { sourceOf } from '../../src/importers/source.js';
import type { Branch, Graph } from '../../src/ir/index.js';
import { rightOf } from '../support/checked.js';

const MODELS = fileURLToPath(new URL('../../examples/models/', import.meta.url));

const twins = readdirSync(MODELS)
  .filter((name) => ['model.onnx', 'model.pt'].every((file) => existsSync(join(MODELS, name, file))))
  .sort();

const read = (name: string, file: string): Graph => {
  const bytes = readFileSync(join(MODELS, name, file));
  return rightOf(importSource(sourceOf(bytes, file))).graph;
};

const layersOf = (graph: Graph): ReadonlyArray<ReadonlyArray<Branch>> =>
  graph.nodes.flatMap(({ op }) =>
    op.kind === 'kan'
      ? [[...op.attrs.branches].sort((a, b) => a.basis._tag.localeCompare(b.basis._tag))]
      : [],
  );

/** The numbers of a basis that are trained or chosen. */
const numbersOf = ({ basis }: Branch): ReadonlyArray<number> =>
  basis._tag === 'bspline'
    ? [...basis.knots.data]
    : basis._tag === 'rbf'
      ? [...basis.centers.data, basis.width]
      : [];

const expectClose = (found: ArrayLike<number>, wanted: ArrayLike<number>): void => {
  expect(found).toHaveLength(wanted.length);
  for (let i = 0; i < wanted.length; i++) expect(Math.abs(found[i]! - wanted[i]!)).toBeLessThanOrEqual(1e-6);
};

describe('a graph and the checkpoint that it was exported from', () => {
  it('are here', () => expect(twins.length).toBeGreaterThanOrEqual(3));

  it.each(twins)('%s: have the same layers', (name) => {
    const [exported, stored] = [read(name, 'model.onnx'), read(name, 'model.pt')];
    expect(exported.nodes.map(({ op }) => op.kind)).toStrictEqual(stored.nodes.map(({ op }) => op.kind));
    const wanted = layersOf(stored);
    for (const [l, branches] of layersOf(exported).entries()) {
      expect(branches.map((b) => b.basis._tag)).toStrictEqual(wanted[l]!.map((b) => b.basis._tag));
      for (const [k, branch] of branches.entries()) {
        expectClose(numbersOf(branch), numbersOf(wanted[l]![k]!));
        expectClose(branch.weights.data, wanted[l]![k]!.weights.data);
      }
    }
  });
});
