/**
 * Every shipped network for every target has the bytes that artifacts.json tells, so that nothing changes a program by
 * accident. A change that is meant is a commit of its own, with the file made anew: `npm run golden`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { afterAll, describe, expect, it } from 'vitest';
import { type BenchModel, MODELS, sourceOfModel } from '../../bench/models.js';
import type { Artifact } from '../../src/backends/backend.js';
import { TARGETS } from '../../src/backends/index.js';
import type { Diagnostics } from '../../src/diagnostics/index.js';
import { sha256Of } from '../../src/driver/node/hash.js';
import { compile } from '../../src/index.js';

const file = fileURLToPath(new URL('artifacts.json', import.meta.url));
const updating = process.env['KANC_UPDATE_GOLDEN'] !== undefined;

/** By network and target: a hash of the artifact, or the code of what refuses it. */
const Golden = t.record(t.string, t.record(t.string, t.string));
type Golden = t.TypeOf<typeof Golden>;

const readGolden = (): Golden => {
  const told: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (!Golden.is(told)) throw new Error('artifacts.json is something else');
  return told;
};

const golden = updating ? {} : readGolden();
const made: Record<string, Record<string, string>> = {};

const hashOf = (result: E.Either<Diagnostics, Artifact>): string => {
  if (E.isLeft(result)) return result.left[0].code;
  const files = [...result.right.files].sort(([a], [b]) => (a < b ? -1 : 1));
  return sha256Of(files.map(([name, content]) => `${name} ${sha256Of(content)}\n`).join(''));
};

const hashesOf = async (model: BenchModel): Promise<Record<string, string>> => {
  const { name, bytes, beside } = sourceOfModel(model);
  const { emitFor } = await compile({
    checkpoint: bytes,
    checkpointName: name,
    files: Object.fromEntries(beside),
    ...(model.architecture === undefined ? {} : { architecture: readFileSync(model.architecture, 'utf8') }),
    ...(model.calibration === undefined ? {} : { calibration: readFileSync(model.calibration) }),
    ...(model.pixels ? { inputDtype: 'u8', inputMean: 0.5, inputStd: 0.5 } : {}),
  });
  const hashes: Record<string, string> = {};
  for (const { name: target } of TARGETS) hashes[target] = hashOf(await emitFor(target)());
  return hashes;
};

describe('artifacts of the shipped networks', () => {
  afterAll(() => {
    if (updating) writeFileSync(file, `${JSON.stringify(made, null, 2)}\n`);
  });

  it.each(MODELS)('$name: the bytes of every target', { timeout: 120_000 }, async (model) => {
    const hashes = await hashesOf(model);
    made[model.name] = hashes;
    if (!updating) expect(hashes).toEqual(golden[model.name]);
  });

  it('are told for the networks that ship, and no others', () => {
    expect(Object.keys(updating ? made : golden).sort()).toEqual(MODELS.map(({ name }) => name).sort());
  });
});
