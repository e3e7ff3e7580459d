/** Several C programs beside each other, and files of several builds: what does not belong together does not compile. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { c } from '../../../src/backends/c/index.js';
import { uint } from '../../../src/ir/element.js';
import type { Graph } from '../../../src/ir/graph.js';
import { interpret } from '../../../src/ir/interpret.js';
import { valueType } from '../../../src/ir/types.js';
import { rightOf } from '../../support/checked.js';
import { randomOf } from '../../support/random.js';
import { missingTools, runTool } from '../../support/tools.js';
import { edgeOp, network, tableBuilder, uniform } from '../wasm/random.js';
import { emitC, STRICT, writeFiles } from './support.js';

const graphOf = (seed: number): Graph<'table'> => {
  const r = randomOf(seed);
  const b = tableBuilder();
  const x = b.input('x', valueType(uint(8), [6], uniform(256)));
  return network(r, b, x, edgeOp(r, 6, 256, 5, 8), 16);
};

type Files = ReadonlyMap<string, Uint8Array | string>;

const inFolder = (folder: string, files: Files): Files =>
  new Map([...files].map(([name, content]) => [`${folder}/${name}`, content]));

/** What the compiler says about a main program beside some folders of artifacts; empty where it has nothing to say. */
const complaint = (
  files: Files,
  main: string,
  sources: ReadonlyArray<string>,
): { folder: string; text: string } => {
  const folder = writeFiles(new Map([...files, ['main.c', main]]));
  try {
    runTool('gcc', [...STRICT, '-o', 'main', 'main.c', ...sources], { cwd: folder });
    return { folder, text: '' };
  } catch (error) {
    return { folder, text: String(error) };
  }
};

const sample = [3, 250, 7, 99, 180, 41];
const rawOf = (graph: Graph<'table'>): ReadonlyArray<number> => {
  let raw: ReadonlyArray<number> = [];
  const input = { type: graph.inputs[0]!.type, batch: 1, data: Uint8Array.from(sample) };
  rightOf(
    interpret(graph, [input], (_, value) => {
      if (value.data instanceof Float32Array) return;
      raw = [...value.data];
    }),
  );
  return raw;
};

describe.skipIf(missingTools({ gcc: 'gcc' }))('two models in one C program', () => {
  it('with one name do not compile, and the message tells the option', async () => {
    const [a, b] = [await emitC(graphOf(1)), await emitC(graphOf(2))];
    const files = new Map([...inFolder('A', a.files), ...inFolder('B', b.files)]);
    const main = '#include "A/net.h"\n#include "B/net.h"\nint main(void) { return 0; }\n';
    for (const sources of [['A/net.c'], ['B/net.c'], ['A/net.c', 'B/net.c']]) {
      expect(complaint(files, main, sources).text).toContain(
        'two different models are both called net: compile one of them with --target-options name=other',
      );
    }
  });

  it('of names that differ in case only do not compile either', async () => {
    const [a, b] = [await emitC(graphOf(1)), await emitC(graphOf(2), { name: 'Net' })];
    const main = '#include "net.h"\n#include "Net.h"\nint main(void) { return 0; }\n';
    expect(complaint(new Map([...a.files, ...b.files]), main, []).text).toContain('both called Net');
  });

  it('may be included twice, where they are the same', async () => {
    const { files } = await emitC(graphOf(1));
    const twice = new Map([...files, ...inFolder('copy', files)]);
    const main = '#include "net.h"\n#include "copy/net.h"\nint main(void) { return 0; }\n';
    expect(complaint(twice, main, ['net.c']).text).toBe('');
  });

  it('with names of their own give their own results', async () => {
    const graphs = [graphOf(1), graphOf(2)] as const;
    const [a, b] = [
      await emitC(graphs[0], { name: 'left_eye' }),
      await emitC(graphs[1], { name: 'right_eye' }),
    ];
    const main = `#include <stdio.h>
#include "left_eye.h"
#include "right_eye.h"
int main(void) {
    const uint8_t x[6] = {${sample.join(', ')}};
    int32_t y[LEFT_EYE_OUTPUTS], z[RIGHT_EYE_OUTPUTS];
    int j;
    if (left_eye_predict_raw(x, y) != 0 || right_eye_predict_raw(x, z) != 0) return 1;
    for (j = 0; j < LEFT_EYE_OUTPUTS; j++) printf("%ld ", (long)y[j]);
    for (j = 0; j < RIGHT_EYE_OUTPUTS; j++) printf("%ld ", (long)z[j]);
    return 0;
}
`;
    const { folder, text } = complaint(new Map([...a.files, ...b.files]), main, [
      'left_eye.c',
      'right_eye.c',
    ]);
    expect(text).toBe('');
    const found = runTool(join(folder, 'main'), [], { cwd: folder }).toString().trim().split(' ').map(Number);
    expect(found).toEqual([...rawOf(graphs[0]), ...rawOf(graphs[1])]);
  });
});

describe.skipIf(missingTools({ gcc: 'gcc' }))('files of two builds', () => {
  const MAIN = '#include "net.h"\nint main(void) { return 0; }\n';

  it.each([
    ['net.h', MAIN, 'net.h and net.c are of different builds'],
    ['net.c', MAIN, 'net.h and net.c are of different builds'],
    ['golden.h', '#include "testbench.c"\n', 'golden.h and the header of net are of different builds'],
  ])('do not compile: another %s', async (name, main, message) => {
    const [own, other] = [await emitC(graphOf(1)), await emitC(graphOf(2))];
    const mixed = new Map([...own.files, [name, other.files.get(name) ?? '']]);
    expect(complaint(mixed, main, ['net.c']).text).toContain(message);
    expect(complaint(own.files, main, ['net.c']).text).toBe('');
  });

  it('are one build where only the version of kanc is another', async () => {
    const emit = async (version: string): Promise<Files> =>
      rightOf(await c.emit({ name: 'net' }, { version })(graphOf(1))()).files;
    const [old, newer] = [await emit('1.0.0'), await emit('2.0.0')];
    expect(newer.get('net.h')).not.toBe(old.get('net.h'));
    const folder = writeFiles(new Map([...old, ['net.h', newer.get('net.h') ?? '']]));
    writeFileSync(join(folder, 'main.c'), MAIN);
    runTool('gcc', [...STRICT, '-o', 'main', 'main.c', 'net.c'], { cwd: folder });
  });
});
