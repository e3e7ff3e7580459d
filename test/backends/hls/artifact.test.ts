/** What HLS projects hold, which architecture is chosen, and how truth tables are stored. */
import { describe, expect, it } from 'vitest';
import { programOf } from '../../../src/backends/cpp/program.js';
import { designOf, lanesFor } from '../../../src/backends/hls/design.js';
import { edgeTablesOf } from '../../../src/backends/hls/edge-tables.js';
import { findTarget } from '../../../src/backends/index.js';
import { uint } from '../../../src/ir/element.js';
import type { Graph } from '../../../src/ir/graph.js';
import { valueType } from '../../../src/ir/types.js';
import { codeOf, rightOf } from '../../support/checked.js';
import { randomOf } from '../../support/random.js';
import { missingTools, runTool } from '../../support/tools.js';
import { writeFiles } from '../c/support.js';
import { edgeOp, network, tableBuilder, uniform } from '../wasm/random.js';
import { normOp } from '../wasm/random-images.js';
import { finish } from '../wasm/support.js';
import { emitHls, FLAGS } from './support.js';

const graphOf = (inputs: number, levels: number, outputs: number): Graph<'table'> => {
  const r = randomOf(inputs);
  const b = tableBuilder();
  const x = b.input('x', valueType(uint(8), [inputs], uniform(levels)));
  return network(r, b, x, edgeOp(r, inputs, levels, outputs, 4), 16);
};

const architectureOf = (graph: Graph<'table'>): string =>
  rightOf(designOf('net', rightOf(programOf(graph, 'HLS')), {}, 'test')).architecture;

describe('HLS projects', () => {
  it('hold these files, the same bytes each time', async () => {
    const graph = graphOf(4, 16, 3);
    const { files } = await emitHls(graph);
    expect([...files.keys()]).toEqual([
      'firmware/net.cpp',
      'firmware/net.h',
      'firmware/defines.h',
      'firmware/parameters.h',
      'firmware/host.h',
      'firmware/kanc_ap_int.h',
      'firmware/kanc_hls.h',
      'net_test.cpp',
      'golden.h',
      'build_prj.tcl',
      'Makefile',
      'README.md',
      'manifest.json',
    ]);
    expect([...(await emitHls(graph)).files]).toEqual([...files]);
    expect(String(files.get('firmware/defines.h'))).toContain('typedef ap_uint<4> x_t;');
  });

  it.skipIf(missingTools({ 'g++': 'g++' }))('do not compile with a file of another build', async () => {
    const [own, other] = [await emitHls(graphOf(4, 16, 3)), await emitHls(graphOf(4, 15, 3))];
    const syntax = (files: ReadonlyMap<string, Uint8Array | string>, source: string): string => {
      const folder = writeFiles(files);
      try {
        runTool('g++', [...FLAGS, '-fsyntax-only', source], { cwd: folder });
        return '';
      } catch (error) {
        return String(error);
      }
    };
    for (const source of ['firmware/net.cpp', 'net_test.cpp']) expect(syntax(own.files, source)).toBe('');
    for (const [name, source] of [
      ['firmware/net.cpp', 'firmware/net.cpp'],
      ['firmware/net.h', 'firmware/net.cpp'],
      ['firmware/parameters.h', 'firmware/net.cpp'],
      ['firmware/defines.h', 'firmware/net.cpp'],
      ['firmware/host.h', 'net_test.cpp'],
      ['golden.h', 'net_test.cpp'],
    ] as const) {
      const mixed = new Map([...own.files, [name, other.files.get(name) ?? '']]);
      expect([name, syntax(mixed, source)]).toEqual([
        name,
        expect.stringContaining('are of different builds'),
      ]);
    }
  });

  it('are unrolled where that is small, and folded otherwise', () => {
    expect(architectureOf(graphOf(4, 16, 3))).toBe('unrolled');
    expect(architectureOf(graphOf(200, 256, 100))).toBe('folded');
  });

  it('refuse to unroll what needs a memory of the sample', async () => {
    const r = randomOf(3);
    const b = tableBuilder();
    const x = b.input('x', valueType(uint(4), [4], uniform(16)));
    const table = edgeOp(r, 4, 16, 4, 3);
    if (table.kind !== 'table.edge') throw new Error('an edge table is expected');
    const sums = b.add('s', { ...table, attrs: { ...table.attrs, scale: 0.5 } }, [x]);
    const codes = b.add('n', normOp(r, 4, 'sample', 16, false), [sums]);
    const graph = finish(b, codes);
    const target = rightOf(findTarget('hls'));
    const emitted = async (options: unknown) =>
      codeOf(await target.emit(options, { version: 'test' })(graph)());
    expect(await emitted({ architecture: 'unrolled' })).toBe('K0602');
    expect(await emitted({ architecture: 'folded', reuse: '4', clock: '2.5', part: 'xc7a35tcpg236-1' })).toBe(
      'ok',
    );
    expect(await emitted({ part: 'x; exec rm' })).toBe('K0801');
    expect(await emitted({ clock: '0' })).toBe('K0801');
    expect(await emitted({ reuse: '0' })).toBe('K0801');
  });
});

describe('truth tables of layers', () => {
  it('have no sign, are shared where equal, and vanish where constant', () => {
    const functions = [
      [(c: number) => c - 5, (c: number) => c + 9, () => 7],
      [(c: number) => -c, (c: number) => c * c, (c: number) => 3 - c],
    ];
    const t = edgeTablesOf(
      { inputs: 2, outputs: 3, levels: 4, bias: [100, 0, 0], edge: (i, code, o) => functions[i]![o]!(code) },
      'l',
    );
    expect(t.tables.map(({ input, table }) => [input, ...table.data])).toEqual([
      [0, 0, 1, 2, 3],
      [1, 3, 2, 1, 0],
      [1, 0, 1, 4, 9],
    ]);
    expect(t.outputs.map((o) => o.bias)).toEqual([100 - 5 - 3, 9, 7]);
    expect(t.outputs.map((o) => o.last?.most)).toEqual([6, 12, 3]);
  });

  it('are added three at a time, with exact ranges', () => {
    const t = edgeTablesOf({ inputs: 9, outputs: 1, levels: 8, edge: (i, code) => (i + 1) * code }, 'l');
    expect(t.depth).toBe(2);
    expect(t.outputs[0]!.nodes.length).toBe(4);
    expect(t.outputs[0]!.last!.most).toBe(7 * 45);
  });
});

describe('reuse', () => {
  it.each([
    [1, 64, 64],
    [4, 64, 16],
    [3, 64, 32],
    [7, 10, 2],
    [100, 10, 1],
  ])('%i of %i outputs adds %i at once', (reuse, outputs, lanes) => {
    expect(lanesFor(reuse)(outputs)).toBe(lanes);
  });
});
