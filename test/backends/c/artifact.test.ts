/** What C artifacts hold, how their memory is shared, and what the target refuses. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { c } from '../../../src/backends/c/index.js';
import { render } from '../../../src/backends/cpp/code.js';
import { memoryOf } from '../../../src/backends/cpp/memory.js';
import { programOf } from '../../../src/backends/cpp/program.js';
import { tableCode, tableForm, tableOf } from '../../../src/backends/cpp/table.js';
import { findTarget } from '../../../src/backends/index.js';
import { uint } from '../../../src/ir/element.js';
import type { Graph } from '../../../src/ir/graph.js';
import { floatType, valueType } from '../../../src/ir/types.js';
import { codeOf, rightOf } from '../../support/checked.js';
import { randomOf } from '../../support/random.js';
import { missingTools, runTool } from '../../support/tools.js';
import { edgeOp, network, rangeOf, requantizeOp, tableBuilder, uniform } from '../wasm/random.js';
import { finish } from '../wasm/support.js';
import { emitC, STRICT, writeFiles } from './support.js';

const graphOf = (seed: number, codes = false): Graph<'table'> => {
  const r = randomOf(seed);
  const b = tableBuilder();
  if (codes) {
    const x = b.input('x', valueType(uint(4), [6], uniform(10)));
    return network(r, b, x, edgeOp(r, 6, 10, 5, 4), 16);
  }
  const x = b.input('x', floatType([6]));
  const quantizer = uniform(16, -1, 0.125);
  const q = b.add('q', { kind: 'quantize', attrs: { quantizer, bits: 4, nan: 'refuse' } }, [x]);
  return network(r, b, q, edgeOp(r, 6, 16, 8, 4), 16);
};

const text = (files: ReadonlyMap<string, Uint8Array | string>, name: string): string =>
  String(files.get(name));

describe('C artifacts', () => {
  it('hold these files, the same bytes each time', async () => {
    const graph = graphOf(1);
    const { files } = await emitC(graph);
    expect([...files.keys()]).toEqual([
      'net.h',
      'net.c',
      'testbench.c',
      'golden.h',
      'Makefile',
      'CMakeLists.txt',
      'README.md',
      'manifest.json',
    ]);
    expect([...(await emitC(graph)).files]).toEqual([...files]);
    expect(JSON.parse(text(files, 'manifest.json'))).toMatchObject({
      target: 'c',
      input: { dtype: 'f32', shape: [6], refusesNaN: true },
      code: { name: 'net', scratch: 'stack' },
    });
  });

  it('name everything by the option or the graph, made an identifier', async () => {
    const hostile = '*/ evil(); #include "x';
    const refused = await c.emit({ name: hostile }, { version: 'test' })(graphOf(2))();
    expect(codeOf(refused)).toBe('K0801');
    const { files } = rightOf(await c.emit({}, { version: 'test' })({ ...graphOf(2), name: hostile })());
    expect([...files.keys()].slice(0, 2)).toEqual(['evil_include_x.h', 'evil_include_x.c']);
    const code = [...files].filter(([file]) => /\.[ch]$/.test(file));
    for (const [, content] of code) {
      expect(String(content).replace(/\/\*[\s\S]*?\*\//g, '')).not.toContain('evil()');
    }
  });

  it('take options as text, and refuse others', async () => {
    const target = rightOf(findTarget('c'));
    const emitted = async (options: unknown) =>
      codeOf(await target.emit(options, { version: 'test' })(graphOf(3))());
    expect(await emitted({ pack: 'false', scratch: 'caller' })).toBe('ok');
    expect(await emitted({ scratch: 'heap' })).toBe('K0801');
    expect(await emitted({ unknown: '1' })).toBe('K0801');
  });

  it('refuses graphs that it cannot express', () => {
    const b = tableBuilder();
    const x = b.input('x', valueType(uint(12), [3], uniform(4096)));
    const op = requantizeOp(randomOf(1), { lo: -5, hi: 5 }, 3, 4);
    const sums = b.add('s', edgeOp(randomOf(2), 3, 4096, 3, 3), [x]);
    expect(op.kind).toBe('requantize');
    expect(codeOf(programOf(finish(b, sums), 'C'))).toBe('K0602');
  });
});

describe('memory between stages', () => {
  it('is shared by values that are not needed together', () => {
    const r = randomOf(5);
    const b = tableBuilder();
    let codes = b.input('x', valueType(uint(4), [40], uniform(16)));
    for (let layer = 0; layer < 4; layer++) {
      const sums = b.add('sums', edgeOp(r, 40, 16, 40, 6), [codes]);
      codes = b.add('codes', requantizeOp(r, rangeOf(b, sums), 40, 16), [sums]);
    }
    const program = rightOf(programOf(finish(b, codes), 'C'));
    const memory = memoryOf(program);
    expect(memory.pools.map((p) => [p.name, p.length])).toEqual([
      ['i16', 40],
      ['u8', 40],
    ]);
    expect(memory.bytes).toBe(120);
  });
});

describe('packed tables', () => {
  it.each([
    [[-8, 7, 0, 3], 2, 2],
    [[-2, 1, 0, -1, 1, 1, -2, 0], 4, 4],
    [[0, 3, 2, 1], 4, 4],
    [[-8, 7, 0, 3], 1, 1],
    [[-9, 7], 2, 1],
  ] as const)('%j in rows of %i: %i entries a byte', (entries, row, perByte) => {
    const table = tableOf('t', Int8Array.from(entries), row);
    expect(tableForm(table, true).perByte).toBe(perByte);
    expect(tableForm(table, false).perByte).toBe(1);
    expect(tableForm(table, true).bytes).toBe(entries.length / perByte);
  });

  it.skipIf(missingTools({ gcc: 'gcc' }))('read back as they were', () => {
    const r = randomOf(9);
    const tables = [
      tableOf(
        'a',
        Int8Array.from({ length: 64 }, () => r.whole(-8, 7)),
        8,
      ),
      tableOf(
        'b',
        Int8Array.from({ length: 64 }, () => r.whole(-2, 1)),
        8,
      ),
      tableOf(
        'c',
        Uint8Array.from({ length: 64 }, () => r.whole(0, 3)),
        8,
      ),
    ];
    const prints = tables.map(
      (t) => `for (i = 0; i < 64; i++) printf("%ld ", (long)${tableForm(t, true).read('i', '0')});`,
    );
    const code = [
      '#include <stdint.h>',
      '#include <stdio.h>',
      ...tables.flatMap((t) => tableCode(t, tableForm(t, true))),
      'int main(void) {',
      ['int32_t i;', ...prints, 'return 0;'],
      '}',
    ];
    const folder = writeFiles(new Map([['t.c', render(code)]]));
    runTool('gcc', [...STRICT, '-o', 't', 't.c'], { cwd: folder });
    const found = runTool(join(folder, 't'), [], { cwd: folder }).toString().trim().split(' ').map(Number);
    expect(found).toEqual(tables.flatMap((t) => [...t.data]));
  });
});

describe.skipIf(missingTools({ gcc: 'gcc' }))('inputs that no table has a row for', () => {
  const refusedBy = async (
    graph: Graph<'table'>,
    type: string,
    bad: string,
    good: string,
    flags: ReadonlyArray<string> = [],
  ): Promise<string> => {
    const { files } = await emitC(graph, { scratch: 'caller' });
    const main = `#include "net.h"
#include <stdio.h>
#include <stdlib.h>
int main(void) {
    static net_scratch s;
    ${type} x[6] = {${good}, ${good}, ${good}, ${good}, ${good}, ${bad}};
    int32_t out[NET_OUTPUTS];
    out[0] = 12345;
    printf("%d ", net_predict_raw(&s, x, out));
    printf("%d ", out[0] == 12345);
    x[5] = ${good};
    printf("%d", net_predict_raw(&s, x, out));
    return 0;
}
`;
    const folder = writeFiles(new Map([...files, ['main.c', main]]));
    runTool('gcc', [...STRICT, ...flags, '-o', 'main', 'main.c', 'net.c'], { cwd: folder });
    return runTool(join(folder, 'main'), [], { cwd: folder }).toString();
  };

  it('are refused and leave the result alone: codes beyond the levels', async () => {
    expect(await refusedBy(graphOf(4, true), 'uint8_t', '10', '9')).toBe('1 1 0');
  });

  it('and NaN, where the model was compiled to refuse it', async () => {
    expect(await refusedBy(graphOf(4), 'float', '0.0f / 0.0f', '1.0f')).toBe('1 1 0');
  });

  it('and NaN where the compiler is told that there are none', async () => {
    const flags = ['-O2', '-ffast-math'];
    expect(await refusedBy(graphOf(4), 'float', 'strtof("nan", NULL)', '1.0f', flags)).toBe('1 1 0');
  });
});
