/** The generator of networks of real width. */
import { describe, expect, it } from 'vitest';
import { generateResKanet } from '../../../bench/generate-reskanet.js';
import { readCheckpoint } from '../../../src/importers/containers/index.js';
import { resKanet } from '../../../src/importers/families/reskanet.js';
import { sourceOf } from '../../../src/importers/source.js';
import { rightOf } from '../../support/checked.js';

describe('generateResKanet', () => {
  const make = (seed: number) => generateResKanet({ width: 1, seed, channels: 3, classes: 4 });

  it('gives a checkpoint that is read by its names', () => {
    const file = rightOf(readCheckpoint(make(1), 'generated'));
    const { graph } = rightOf(resKanet.read(file, {}, sourceOf(new Uint8Array(0), '')));
    expect(graph.inputs[0]?.type.shape).toEqual([3, 32, 32]);
    expect(graph.nodes.at(-1)?.type.shape).toEqual([4]);
  });

  it('depends on the seed and on nothing else', () => {
    expect(Buffer.from(make(1)).equals(make(1))).toBe(true);
    expect(Buffer.from(make(1)).equals(make(2))).toBe(false);
  });
});
