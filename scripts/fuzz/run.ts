/**
 * `npm run fuzz`: random networks and damaged files, for as long as one likes.
 *
 *     npm run fuzz -- --seconds 60 --seed 1             both fuzzers, half of the time each
 *     npm run fuzz -- --only wasm --engines wasm,c      networks; compiled C as well (needs gcc)
 *     npm run fuzz -- --only parsers
 *     npm run fuzz -- --replay test/fuzz-corpus/NAME    one finding again
 *
 * The exit status is 1 when there are findings. docs/fuzzing.md tells more.
 */
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isEngine, nodeWorld } from './engines.js';
import { fuzzNetworks } from './fuzz-networks.js';
import { fuzzParsers } from './fuzz-parsers.js';
import { replay } from './replay.js';
import { showTally, type Tally } from './tally.js';

const { values: flags } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: 'wasm,parsers' },
    engines: { type: 'string', default: 'wasm' },
    replay: { type: 'string' },
  },
});

const corpus =
  relative(process.cwd(), fileURLToPath(new URL('../../test/fuzz-corpus', import.meta.url))) || '.';
const parts = flags.only.split(',');
const engines = flags.engines.split(',').filter(isEngine);
const extent = {
  seed: Number(flags.seed),
  executions: Number.POSITIVE_INFINITY,
  seconds: Number(flags.seconds) / parts.length,
};
const progress = (tally: Tally): void => {
  if (process.stderr.isTTY) {
    process.stderr.write(`\r${tally.executions} executions, ${tally.findings.size} findings `);
  }
};

const world = nodeWorld();
if (flags.replay === undefined) {
  const tallies: Array<readonly [string, Tally]> = [];
  if (parts.includes('wasm')) {
    tallies.push(['networks', await fuzzNetworks({ ...extent, engines, corpus, world }, progress)]);
  }
  if (parts.includes('parsers'))
    tallies.push(['parsers', await fuzzParsers({ ...extent, corpus }, progress)]);
  if (process.stderr.isTTY) process.stderr.write('\n');
  console.log(`seed ${flags.seed}, ${flags.seconds} seconds`);
  for (const [name, tally] of tallies) console.log(showTally(name, tally));
  if (tallies.some(([, tally]) => tally.findings.size > 0)) process.exitCode = 1;
} else {
  const found = await replay(world, engines, flags.replay);
  console.log(found ?? 'nothing is wrong');
  if (found !== undefined) process.exitCode = 1;
}
