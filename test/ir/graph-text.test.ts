/** Graphs that are too large for a text. */
import type * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { Crash, newRecorder, recorded } from '../../src/driver/crash.js';
import { constant } from '../../src/ir/constant.js';
import { int, uint } from '../../src/ir/element.js';
import { constantBytes, graphText, MAX_CONSTANT_BYTES } from '../../src/ir/graph-text.js';
import { valueType } from '../../src/ir/types.js';
import { tableBuilder, uniform } from '../backends/wasm/random.js';
import { codeOf, messageOf, rightOf } from '../support/checked.js';

/** One input of 4 codes, and a table of so many entries. */
const graphOf = (outputs: number) => {
  const b = tableBuilder();
  const x = b.input('x', valueType(uint(2), [1], uniform(4)));
  const table = constant(int(8), [1, 4, outputs], new Int8Array(4 * outputs));
  const attrs = { table, scale: 1, acc: 16, lo: 0, hi: 0 } as const;
  return rightOf(b.build([b.add('sums', { kind: 'table.edge', attrs }, [x])]));
};

const large = graphOf(MAX_CONSTANT_BYTES / 4 + 1);

describe('graphText', () => {
  it('gives texts, and refuses what would not fit into one', () => {
    const small = graphOf(100);
    expect(constantBytes(small)).toBe(400);
    expect(rightOf(graphText(small))).toContain('resources {');
    expect(codeOf(graphText(large))).toBe('K0507');
    expect(messageOf(graphText(large))).toMatch(/would take 256 MB.*--form basis/);
  });
});

describe('a crash with a large graph', () => {
  it('is reported with the graph, but without its constants', async () => {
    const recorder = newRecorder();
    recorder.graph = large;
    const task = async (): Promise<E.Either<never, never>> => {
      throw new Error('really');
    };
    const crash = await recorded(recorder, { version: '0', options: {} })(task)().catch((e: unknown) => e);
    if (!(crash instanceof Crash)) throw new Error('a crash expected');
    expect([...crash.files.keys()]).toEqual(['input.txt', 'pipeline.txt', 'report.json', 'error.txt']);
    expect(crash.files.get('input.txt')).toContain('// resources elided');
  });
});
