/** One finding again: what is wrong, or undefined when nothing is any more. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { checkCase } from './compare.js';
import { readCase } from './corpus.js';
import type { EngineName, World } from './engines.js';
import { readUnderLimits } from './limits.js';
import { targets } from './readers.js';

const Kept = t.type({ target: t.string });

export const replay = async (
  world: World,
  engines: ReadonlyArray<EngineName>,
  folder: string,
): Promise<string | undefined> => {
  if (existsSync(join(folder, 'network.kir'))) {
    const { given, input } = readCase(folder);
    const outcome = await checkCase(world, engines, given, input);
    return outcome._tag === 'wrong' ? outcome.message : undefined;
  }
  const json: unknown = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8'));
  const kept = Kept.decode(json);
  if (E.isLeft(kept)) return `${folder} has no case.json of a finding`;
  const target = targets().find(({ name }) => name === kept.right.target);
  if (target === undefined) return `there is no reader '${kept.right.target}'`;
  const reading = readUnderLimits(target, readFileSync(join(folder, 'input.bin')));
  return reading._tag === 'wrong' ? reading.message : undefined;
};
