/** Shipped networks as C programs, and what their artifacts hold. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { compile, interpret, parseGraph, readNpy } from '../../../src/index.js';
import { toTensor } from '../../../src/passes/dataset.js';
import { rightOf } from '../../support/checked.js';
import { missingTools, runTool } from '../../support/tools.js';
import { bytesOf, writeFiles } from './support.js';

const read = (path: string): Uint8Array =>
  readFileSync(fileURLToPath(new URL(`../../../examples/${path}`, import.meta.url)));

/** Compiles for C, makes the testbench with the artifact's own Makefile, and compares the floats of test data. */
const check = async (
  input: Omit<Parameters<typeof compile>[0], 'target'>,
  data: string,
  limit: number,
): Promise<string> => {
  const { artifact } = await compile({ ...input, target: 'c' });
  const folder = writeFiles(artifact.files);
  expect(runTool('make', ['-s', 'test', 'CFLAGS=-O1'], { cwd: folder }).toString()).toMatch(/^PASS/);
  const kir = artifact.files.get('model.kir');
  const graph = rightOf(parseGraph(typeof kir === 'string' ? kir : ''));
  const x = rightOf(
    toTensor({ path: data, array: rightOf(readNpy(read(data))) }, graph.inputs[0]!.type, limit),
  );
  const found = runTool(join(folder, 'build', 'testbench'), ['float'], {
    cwd: folder,
    input: bytesOf(x.data),
  });
  const expected = rightOf(interpret(graph, [x]))[0]!;
  expect(found.equals(Buffer.from(bytesOf(expected.data)))).toBe(true);
  return folder;
};

const WINE = {
  checkpoint: read('models/efficient-kan-wine/model.safetensors'),
  calibration: read('data/wine/calib_inputs.npy'),
};

describe.skipIf(missingTools({ gcc: 'gcc', make: 'make' }))('C programs of shipped networks', () => {
  it('wine', async () => {
    await check(WINE, 'data/wine/test_inputs.npy', 72);
  });

  it('wine with tables of four bits, two entries a byte', async () => {
    const folder = await check({ ...WINE, quant: { act: 5, table: 4 } }, 'data/wine/test_inputs.npy', 72);
    expect(readFileSync(join(folder, 'model.c'), 'utf8')).toContain('static const uint8_t s1_table[1664]');
  });

  it('digits in the basis form', async () => {
    const input = {
      checkpoint: read('models/efficient-kan-digits/model.safetensors'),
      calibration: read('data/digits/calib_inputs.npy'),
      form: 'basis',
    } as const;
    await check(input, 'data/digits/test_inputs.npy', 200);
  });
});

describe.skipIf(missingTools({ 'arm-none-eabi-gcc': 'gcc-arm-none-eabi' }))(
  'C programs for a Cortex-M4',
  () => {
    it('keep all constants in flash, and need no library', async () => {
      const { artifact } = await compile({ ...WINE, target: 'c' });
      const folder = writeFiles(artifact.files);
      const flags = [
        '-std=c99',
        '-Wall',
        '-Wextra',
        '-Werror',
        '-pedantic',
        '-Os',
        '-mcpu=cortex-m4',
        '-mthumb',
      ];
      runTool('arm-none-eabi-gcc', [...flags, '-ffreestanding', '-c', 'model.c'], { cwd: folder });
      const [text, data, bss] = runTool('arm-none-eabi-size', ['model.o'], { cwd: folder })
        .toString()
        .trim()
        .split('\n')[1]!
        .trim()
        .split(/\s+/)
        .map(Number);
      const manifest: unknown = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
      const { code } = Object.assign({ code: { constants: 0, memory: 0 } }, manifest);
      // The memory of a call is on its stack.
      expect([data, bss]).toEqual([0, 0]);
      expect(text).toBeGreaterThan(code.constants);
      expect(text).toBeLessThan(code.constants + 2048);
      const undefinedSymbols = runTool('arm-none-eabi-nm', ['-u', 'model.o'], { cwd: folder })
        .toString()
        .trim();
      // Only what the compiler itself calls for floats, of which predict needs one product.
      expect(
        undefinedSymbols.split('\n').every((line) => /^\s*U (__aeabi_\w+)?$/.test(line) || line === ''),
      ).toBe(true);
    });
  },
);
