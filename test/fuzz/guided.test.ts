/** The parts of the guided fuzzer: counters do not change what code does, and what they count is what ran. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COUNTERS, instrumented, numbering } from '../../scripts/fuzz/guided/instrument.js';
import { addCounters, nothingReached } from '../../scripts/fuzz/guided/reached.js';
import { shrunk } from '../../scripts/fuzz/guided/shrink.js';

const SOURCE = `
  const sign = (x: number): string => (x > 0 ? 'plus' : x < 0 ? 'minus' : 'zero');
  const first = (list: ReadonlyArray<number>): number => list[0] ?? -1;
  function kind(x: number) {
    switch (x) { case 1: return 'one'; case 2: return 'two'; default: return 'many'; }
  }
  const all = (x: number) => { if (x > 5) return 'large'; else { let n = 0; for (let k = 0; k < x; k++) { n += k; } return sign(x) + n; } };
  return (x: number) => [sign(x), first(x > 3 ? [x] : []), kind(x), all(x), x > 2 && x < 4].join();
`;

/** The function that the source returns, with counters in it. */
const run = () => {
  const numbers = numbering();
  const counters = new Uint8Array(100);
  const module = instrumented(`const make = () => {${SOURCE}};`, 'x.ts', numbers);
  // The first line takes the counters from the process: here they are a parameter.
  const text = module.split('\n').slice(1).join('\n');
  const made: unknown = new Function(COUNTERS, `${text}\nreturn make();`)(counters);
  if (typeof made !== 'function') throw new Error('no function');
  return {
    call: (x: number): string => String(made(x)),
    counters,
    count: numbers.next,
    words: numbers.words,
  };
};

describe('counters', () => {
  it('change nothing that the code gives', () => {
    const { call } = run();
    expect([-2, 0, 1, 2, 3, 9].map((x) => call(x))).toEqual([
      'minus,-1,many,minus0,false',
      'zero,-1,many,zero0,false',
      'plus,-1,one,plus0,false',
      'plus,-1,two,plus1,false',
      'plus,-1,many,plus3,true',
      'plus,9,many,large,false',
    ]);
  });

  it('tell inputs apart by the blocks that they reach, and how often', () => {
    const { call, counters, count, words } = run();
    const reached = nothingReached(count);
    const news = (x: number) => {
      call(x);
      return addCounters(reached, counters.subarray(0, count));
    };
    expect([1, 1, 2, -1, 9, 9, 5].map(news)).toEqual([
      'blocks',
      'none',
      'blocks',
      'blocks',
      'blocks',
      'none',
      'counts',
    ]);
    expect([...words]).toContain('minus');
    expect(count).toBeGreaterThan(15);
  });
});

describe('smaller files', () => {
  it('keep what makes them wrong, and nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.uint8Array({ maxLength: 60 }), (before, after) => {
        const bytes = Uint8Array.from([...before, 7, ...after]);
        expect([...shrunk(bytes, (b) => b.includes(7), 1000)]).toEqual([7]);
      }),
      { numRuns: 50, seed: 1 },
    );
  });
});
