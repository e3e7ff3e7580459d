/**
 * `npm run fuzz`: random networks and damaged files, for as long as one likes.
 *
 *     npm run fuzz -- --seconds 60 --seed 1             both fuzzers, half of the time each
 *     npm run fuzz -- --only wasm --engines wasm,c      networks; compiled C as well (needs gcc)
 *     npm run fuzz -- --only parsers
 *     npm run fuzz -- --only guided --executions 1000000    parsers, guided by coverage
 *     npm run fuzz -- --only guided --kinds kir,YAML --keep    what reaches most is kept in the corpus
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
import { fuzzGuided } from './guided/fuzz-guided.js';
import { replay } from './replay.js';
import { showTally, type Tally } from './tally.js';

const { values: flags } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    executions: { type: 'string', default: 'Infinity' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: 'wasm,parsers' },
    engines: { type: 'string', default: 'wasm' },
    kinds: { type: 'string' },
    keep: { type: 'boolean', default: false },
    replay: { type: 'string' },
  },
});

const corpus =
  relative(process.cwd(), fileURLToPath(new URL('../../test/fuzz-corpus', import.meta.url))) || '.';
const parts = flags.only.split(',');
const engines = flags.engines.split(',').filter(isEngine);
/** Ctrl-C ends a run and prints what it has seen; a second one ends the process. */
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
const extent = {
  seed: Number(flags.seed),
  executions: Number(flags.executions),
  seconds: Number(flags.seconds) / parts.length,
  signal: stop.signal,
};
const progress = (tally: Tally): void => {
  if (process.stderr.isTTY) {
    process.stderr.write(`\r${tally.executions} executions, ${tally.findings.size} findings `);
  }
};

const started = performance.now();
const world = nodeWorld();
if (flags.replay === undefined) {
  const tallies: Array<readonly [string, Tally]> = [];
  if (parts.includes('wasm')) {
    tallies.push(['networks', await fuzzNetworks({ ...extent, engines, corpus, world }, progress)]);
  }
  if (parts.includes('parsers'))
    tallies.push(['parsers', await fuzzParsers({ ...extent, corpus }, progress)]);
  if (parts.includes('guided')) {
    const kinds = flags.kinds === undefined ? {} : { kinds: flags.kinds.split(',') };
    const guided = await fuzzGuided({ ...extent, ...kinds, corpus, keep: flags.keep }, progress);
    for (const { kind, executions, blocks, files } of guided.kinds) {
      console.log(`${kind}: ${executions} executions, ${blocks} of ${guided.blocks} blocks, ${files} files`);
    }
    tallies.push(['guided', guided.tally]);
  }
  if (process.stderr.isTTY) process.stderr.write('\n');
  const took = Math.round((performance.now() - started) / 1000);
  console.log(`seed ${flags.seed}, ${took} seconds`);
  for (const [name, tally] of tallies) console.log(showTally(name, tally));
  if (tallies.some(([, tally]) => tally.findings.size > 0)) process.exitCode = 1;
} else {
  const found = await replay(world, engines, flags.replay);
  console.log(found ?? 'nothing is wrong');
  if (found !== undefined) process.exitCode = 1;
}
