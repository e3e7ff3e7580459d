/** What the benchmark writes: tables with their notes, sections of a document, charts. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { barChart, lineChart } from '../../bench/chart.js';
import { chartsOf, type Row, sectionsOf, timesTable, withSection } from '../../bench/report.js';
import { race } from '../../bench/timing.js';

const absent = { why: 'no export' };
const row: Row = {
  model: 'net',
  batch: 64,
  cells: {
    kanc: { us: 2, spread: 0 },
    'kanc, basis form': absent,
    'float recursion': { us: 41, spread: 0 },
    'onnxruntime-web': absent,
    'tfjs-wasm': { us: 300, spread: 0 },
  },
};

describe('the table of times', () => {
  it('has ratios, and a note for every reason that a figure is missing', () => {
    const lines = timesTable([row, { ...row, batch: 1 }]).split('\n');
    expect(lines[2]).toBe('| net | 64 | 2.00 | - (1) | 41.0 | - (1) | 300 | 21x |  | 150x |');
    expect(lines.at(-1)).toBe('1. no export.');
  });
});

describe('sections', () => {
  it('are replaced between their markers, and nothing else is', () => {
    const document = 'a\n<!-- bench:x -->\nold\n<!-- /bench:x -->\nb\n';
    expect(withSection(document, 'x', 'new')).toBe('a\n<!-- bench:x -->\n\nnew\n\n<!-- /bench:x -->\nb\n');
    expect(() => withSection(document, 'y', 'new')).toThrow('bench:y');
  });
  it('all have their place in docs/performance.md', () => {
    const document = readFileSync(new URL('../../docs/performance.md', import.meta.url), 'utf8');
    const results = { machine: 'a machine', rows: [row], loading: [], arkan: [], widths: [] };
    for (const [name, text] of sectionsOf(results)) {
      expect(withSection(document, name, text)).toContain(text);
    }
    // Images that the page shows are those that are written beside it.
    const shown = [...(sectionsOf(results).get('times') ?? '').matchAll(/\]\((.*\.svg)\)/g)].map((m) => m[1]);
    expect(shown).toEqual([...chartsOf(results).keys()]);
  });
});

describe('charts', () => {
  it('are well-formed and scale logarithmically', () => {
    const bars = barChart('A & B', 'us', ['one', 'two'], [{ label: 'net <1>', values: [1, undefined] }]);
    expect(bars).toContain('A &amp; B');
    expect(bars).toContain('net &lt;1>');
    const lines = lineChart('t', { x: 'edges', y: 'us' }, [
      {
        name: 'l',
        points: [
          [100, 1],
          [10000, 100],
        ],
      },
    ]);
    // A line in proportion runs along the dashed one, from corner to corner.
    expect(lines).toContain('points="70.0,370.0 770.0,76.0"');
  });
});

describe('races', () => {
  it('give the time of a run, whoever runs beside it', async () => {
    const busy = (milliseconds: number) => () => {
      const until = performance.now() + milliseconds;
      while (performance.now() < until);
    };
    const effort = { rounds: 3, tries: 3, milliseconds: 4, warmup: 5 };
    const [short, long] = await race(
      [
        { name: 'short', run: busy(0.5) },
        { name: 'long', run: async () => busy(2)() },
      ],
      effort,
    );
    expect(short?.median).toBeGreaterThanOrEqual(500);
    expect(long!.median / short!.median).toBeGreaterThan(2);
  });
});
