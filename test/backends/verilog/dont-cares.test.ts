/** Logic that relies on what samples show: exact on these samples, and no larger by estimate. */
import { describe, expect, it } from 'vitest';
import { probes } from '../../../src/analyses/probes.js';
import { seenCodes } from '../../../src/analyses/seen-codes.js';
import { bitOf, filled, type Table } from '../../../src/backends/verilog/codes.js';
import { smallest } from '../../../src/backends/verilog/dont-cares.js';
import { estimateLuts } from '../../../src/backends/verilog/estimate.js';
import { verilog } from '../../../src/backends/verilog/index.js';
import { type Circuit, lower } from '../../../src/backends/verilog/lower.js';
import { isLight, scheduleOf } from '../../../src/backends/verilog/schedule.js';
import { isLevel } from '../../../src/ir/graph.js';
import { calibrationOf, compiled, randomKan } from '../../passes/support.js';
import { rightOf } from '../../support/checked.js';
import { randomOf } from '../../support/random.js';
import { missingTools } from '../../support/tools.js';
import { expectExact, expectSimulatedRtl } from './support.js';

const network = (act: number, hidden: number, table: number, layers = [5, 6, 3]) => {
  const bits = `act=${act},hidden=${hidden},table=${table}`;
  const text = `calibrate{data=x},quantize{${bits}},tabulate{form=edge},fold,prune,dedupe,narrow,dce`;
  const graph = compiled(randomKan(act + table, { layers }), text, calibrationOf(layers[0]!));
  if (!isLevel('table')(graph)) throw new Error('a table graph is expected');
  return graph;
};

const CASES = [
  [3, 3, 3],
  [4, 4, 4],
  [4, 6, 5],
  [6, 6, 6],
  [8, 8, 8],
] as const;

const lutsOf = (circuit: Circuit): number => estimateLuts(circuit, scheduleOf(circuit, 3)).luts;

describe('what samples show', () => {
  it.each(CASES)('%i bits, %i hidden, %i in tables: exact on them, and no larger', (act, hidden, table) => {
    const graph = network(act, hidden, table);
    const proven = rightOf(lower(graph, { chain: 16 }));
    for (const count of [1, 7, 60]) {
      const samples = probes(graph, graph.inputs[0]!.type, count, 9);
      const seen = rightOf(seenCodes(graph, samples));
      const codes = { ...seen, ranges: new Map() };
      const ranges = { ...seen, codes: new Map() };
      for (const some of [seen, codes, ranges]) {
        for (const chain of [2, 16]) {
          expectExact(graph, rightOf(lower(graph, { chain, seen: some })), samples);
        }
      }
      const { circuit } = rightOf(smallest(graph, { chain: 16 }, seen, 3));
      expectExact(graph, circuit, samples);
      expect(lutsOf(circuit)).toBeLessThanOrEqual(lutsOf(proven));
    }
  });

  it('is not relied on where that spares nothing', () => {
    const graph = network(3, 3, 3);
    // Enough to show every code and, by the probes of the ends, wide sums.
    const samples = probes(graph, graph.inputs[0]!.type, 20000, 9);
    const seen = rightOf(seenCodes(graph, samples));
    const everything = { codes: seen.codes, ranges: new Map() };
    expect(rightOf(smallest(graph, { chain: 16 }, everything, 3)).assumes).toBe(false);
  });

  it.skipIf(missingTools({ iverilog: 'iverilog', make: 'make' }))('in Icarus Verilog', async () => {
    const graph = network(4, 4, 4);
    const samples = probes(graph, graph.inputs[0]!.type, 40, 9);
    await expectSimulatedRtl(graph, samples, 'iverilog', { 'dont-cares': 'data' });
  });
});

describe('free entries of tables', () => {
  const random = (seed: number): Table => {
    const r = randomOf(seed);
    const n = r.whole(1, 7);
    return {
      bits: Array.from({ length: n }, (_, k) => 2 * k),
      values: Int32Array.from({ length: 2 ** n }, (_, k) => Math.floor(k / r.whole(1, 4))),
      care: Uint8Array.from({ length: 2 ** n }, () => (r.whole(0, 3) === 0 ? 1 : 0)),
    };
  };

  it('are filled so that no bit depends on more than it needs, and all else stays', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const table = random(seed);
      const full = filled(table);
      table.values.forEach((v, k) => {
        if (table.care[k] === 1) expect([seed, k, full.values[k]]).toEqual([seed, k, v]);
      });
      for (let bit = 0; bit < 8; bit++) {
        const [needed, used] = [bitOf(table, bit).bits.length, bitOf(full, bit).bits.length];
        expect(used).toBeLessThanOrEqual(needed);
      }
    }
  });
});

describe('codes made by large tables', () => {
  it('have a register behind them', async () => {
    const graph = network(4, 4, 4, [9, 4, 2]);
    const circuit = rightOf(lower(graph, { chain: 16 }));
    const held = circuit.nets.all.filter(({ def }) => def.kind === 'table' && def.held === true);
    expect(held.length).toBeGreaterThan(0);
    const { stage, live } = scheduleOf(circuit, 3);
    for (const net of circuit.nets.all) {
      if (live[net.id] === 0 || isLight(net)) continue;
      const { def } = net;
      const reads = def.kind === 'add' ? [def.a, def.b, def.carry].flatMap((n) => n ?? []) : [];
      for (const read of reads) {
        const of = read.def.kind === 'table' ? read.def.of : read;
        if (held.includes(of)) expect(stage[net.id]).toBeGreaterThan(stage[of.id]!);
      }
    }
    const { files } = rightOf(await verilog.emit({}, { version: 'test' })(graph)());
    expect(files.get('model.v')).toMatch(/reg \[\d+:0\] t\d+_r1;/);
  });
});
