/**
 * C programs on 8-bit AVR, in a simulator: their tables lie in flash alone, and where integers have 16 bits and flash is read by
 * instructions of its own the integers are those of the interpreter.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { probes } from '../../../src/analyses/probes.js';
import { numberLines } from '../../../src/backends/cpp/code.js';
import { floatTableBits } from '../../../src/backends/cpp/golden.js';
import { programOf } from '../../../src/backends/cpp/program.js';
import { compile, interpret, parseGraph } from '../../../src/index.js';
import { uint } from '../../../src/ir/element.js';
import { type Graph, isLevel } from '../../../src/ir/graph.js';
import type { Tensor } from '../../../src/ir/tensor.js';
import { sizeOf, valueType } from '../../../src/ir/types.js';
import { rightOf } from '../../support/checked.js';
import { randomOf } from '../../support/random.js';
import { missingTools, runTool } from '../../support/tools.js';
import { graphsFor } from '../cpp/graphs.js';
import { edgeOp, rangeOf, requantizeOp, tableBuilder, uniform } from '../wasm/random.js';
import { finish } from '../wasm/support.js';
import { emitC, writeFiles } from './support.js';

const read = (path: string): Uint8Array =>
  readFileSync(fileURLToPath(new URL(`../../../examples/${path}`, import.meta.url)));

const SAMPLES = 6;

/** Compares samples with what is expected and tells so on the serial port. Its own data lies in flash too. */
const mainOf = (input: Tensor, raw: Tensor): string => {
  const isFloat = input.data instanceof Float32Array;
  return `#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/pgmspace.h>
#include <avr/sleep.h>
#include "net.h"
static const ${isFloat ? 'uint32_t' : 'uint8_t'} inputs[] PROGMEM = {
${numberLines(isFloat ? floatTableBits(input.data) : input.data).join('\n')}
};
static const int32_t expected[] PROGMEM = {
${numberLines(raw.data).join('\n')}
};
static void say(const char *text)
{
    for (; *text != 0; text++) {
        while ((UCSR0A & (1 << UDRE0)) == 0) { }
        UDR0 = *text;
    }
}
static ${isFloat ? 'float' : 'uint8_t'} x[NET_INPUTS];
static int32_t y[NET_OUTPUTS];
int main(void)
{
    const char *verdict = "SAME\\r\\n";
    UCSR0B = 1 << TXEN0;
    for (int sample = 0; sample < ${input.batch}; sample++) {
        memcpy_P(x, inputs + (size_t)sample * NET_INPUTS, sizeof x);
        if (net_predict_raw(x, y) != 0) verdict = "REFUSED\\r\\n";
        for (int j = 0; j < NET_OUTPUTS; j++) {
            if (y[j] != (int32_t)pgm_read_dword(&expected[sample * NET_OUTPUTS + j])) verdict = "OTHER\\r\\n";
        }
    }
    say(verdict);
    cli();
    sleep_mode();
    return 0;
}
`;
};

interface Run {
  readonly verdict: string;
  /** Bytes of RAM that are taken before anything is called. */
  readonly ram: number;
}

const runOn = async (device: string, graph: Graph<'table'>): Promise<Run> => {
  const { files } = await emitC(graph, { scratch: 'stack' });
  const { type } = graph.inputs[0]!;
  const input = probes(graph, type, SAMPLES, 3);
  let raw: Tensor | undefined;
  const program = rightOf(programOf(graph, 'C'));
  rightOf(
    interpret(graph, [input], (name, value) => {
      if (name === program.raw.name) raw = value;
    }),
  );
  if (raw === undefined) throw new Error('no integers');
  const folder = writeFiles(new Map([...files, ['main.c', mainOf(input, raw)]]));
  const flags = [`-mmcu=${device}`, '-Os', '-Wall', '-Wextra', '-Werror'];
  runTool('avr-gcc', [...flags, '-std=c99', '-c', 'net.c'], { cwd: folder });
  runTool('avr-gcc', [...flags, '-std=gnu99', '-o', 'main.elf', 'main.c', 'net.o'], { cwd: folder });
  const sizes = runTool('avr-size', ['net.o'], { cwd: folder }).toString().trim().split('\n')[1]!.trim();
  const [, data, bss] = sizes.split(/\s+/).map(Number);
  // What the serial port says comes on the standard error of the simulator.
  const said = runTool('sh', ['-c', `simavr -m ${device} -f 16000000 main.elf 2>&1`], { cwd: folder });
  return {
    verdict: /SAME|OTHER|REFUSED/.exec(said.toString())?.[0] ?? said.toString(),
    ram: data! + bss!,
  };
};

/** Flash that 16 bits reach, and flash that they do not. */
const DEVICES = ['atmega328p', 'atmega2560'];

describe.skipIf(missingTools({ 'avr-gcc': 'gcc-avr avr-libc', simavr: 'simavr' }))(
  'C programs on AVR',
  () => {
    it.each(DEVICES)(
      '%s: tables of a shipped network are in flash, and its integers are right',
      async (device) => {
        const { artifact } = await compile({
          checkpoint: read('models/efficient-kan-wine/model.safetensors'),
          calibration: read('data/wine/calib_inputs.npy'),
          quant: { act: 5, table: 4 },
          target: 'c',
        });
        const graph = rightOf(parseGraph(String(artifact.files.get('model.kir'))));
        if (!isLevel('table')(graph)) throw new Error('a table graph is expected');
        expect(await runOn(device, graph)).toEqual({ verdict: 'SAME', ram: 0 });
      },
    );

    /** Layers whose tables have `inputs` x 256 x `inputs` bytes each. */
    const deep = (layers: number, inputs: number): Graph<'table'> => {
      const r = randomOf(4);
      const b = tableBuilder();
      let codes = b.input('x', valueType(uint(8), [inputs], uniform(256)));
      for (let k = 0; k < layers; k++) {
        const sums = b.add('sums', edgeOp(r, inputs, 256, inputs, 8), [codes]);
        codes = b.add('codes', requantizeOp(r, rangeOf(b, sums), inputs, 256), [sums]);
      }
      return finish(b, codes);
    };

    it('reads tables beyond the first 64 KiB of flash', async () => {
      expect(await runOn('atmega2560', deep(4, 11))).toEqual({ verdict: 'SAME', ram: 0 });
    });

    it('does not compile a table that the compiler cannot hold', async () => {
      await expect(runOn('atmega2560', deep(1, 12))).rejects.toThrow(
        /size of (array|variable) .*table.* is too large/,
      );
    });

    it.each(
      graphsFor('C', 12, 1, 8)
        .filter((graph) => sizeOf(graph.inputs[0]!.type) <= 64)
        .map((graph, k) => [k, graph] as const),
    )('random graph %i', async (_, graph) => {
      expect(await runOn('atmega2560', graph)).toEqual({ verdict: 'SAME', ram: 0 });
    });
  },
);
