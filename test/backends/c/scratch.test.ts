/** Where C programs keep the values between stages: calls of several threads give what those of one give. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { missingTools, runTool } from '../../support/tools.js';
import { layersOf } from './graph.js';
import { emitC, STRICT, writeFiles } from './support.js';

const SMALL = layersOf(40);
const LARGE = layersOf(900);

const text = (files: ReadonlyMap<string, Uint8Array | string>, name: string): string =>
  String(files.get(name));

const codeIn = (files: ReadonlyMap<string, Uint8Array | string>): { scratch: string; memory: number } =>
  JSON.parse(text(files, 'manifest.json')).code;

describe('the memory of a C program', () => {
  it('is of the stack up to 1,024 bytes and of the caller above, and every place tells how much it is', async () => {
    const [small, large] = [await emitC(SMALL), await emitC(LARGE)];
    expect(codeIn(small.files)).toMatchObject({ scratch: 'stack' });
    expect(codeIn(large.files)).toMatchObject({ scratch: 'caller' });
    for (const { files } of [small, large]) {
      const { memory } = codeIn(files);
      expect(memory > 1024).toBe(files === large.files);
      expect(text(files, 'net.h')).toContain(`#define NET_SCRATCH_BYTES ${memory}\n`);
      expect(text(files, 'README.md')).toContain(`Memory: ${memory.toLocaleString('en-US')} bytes`);
    }
    expect(text(small.files, 'net.h')).toContain('on the stack of each call: calls may overlap');
    expect(text(large.files, 'net.h')).toContain(
      'int net_predict_raw(net_scratch *scratch, const uint8_t *x,',
    );
  });

  it('is static where that is asked for, which the header warns of', async () => {
    const { files } = await emitC(SMALL, { scratch: 'static' });
    expect(text(files, 'net.h')).toContain('one call at a time');
    expect(text(files, 'net.c')).toContain('static net_memory memory;');
    expect(text((await emitC(SMALL)).files, 'net.c')).not.toContain('static net_memory memory;');
  });
});

/** Each thread runs samples of its own, over and over; a wrong integer is counted. */
const threads = (isCaller: boolean): string => {
  const given = isCaller ? '&scratch, ' : '';
  const own = isCaller ? '    static _Thread_local net_scratch scratch;\n' : '';
  return `#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include "net.h"
#define SAMPLES 64
static uint8_t x[SAMPLES][NET_INPUTS];
static int32_t expected[SAMPLES][NET_OUTPUTS];
static void *work(void *from)
{
${own}    int32_t y[NET_OUTPUTS];
    long wrong = 0;
    for (int round = 0; round < ROUNDS; round++) {
        for (int k = 0; k < SAMPLES; k++) {
            const int sample = (k + *(int *)from) % SAMPLES;
            if (net_predict_raw(${given}x[sample], y) != 0) return (void *)-1L;
            wrong += memcmp(y, expected[sample], sizeof y) != 0;
        }
    }
    return (void *)wrong;
}
int main(void)
{
${own}    pthread_t threads[4];
    int from[4] = {0, 16, 32, 48};
    long wrong = 0;
    for (int k = 0; k < SAMPLES; k++) {
        for (int i = 0; i < NET_INPUTS; i++) x[k][i] = (uint8_t)((k * 7 + i * 13 + k * i) % 16);
        if (net_predict_raw(${given}x[k], expected[k]) != 0) return 1;
    }
    for (int t = 0; t < 4; t++) if (pthread_create(&threads[t], NULL, work, &from[t]) != 0) return 1;
    for (int t = 0; t < 4; t++) {
        void *found;
        pthread_join(threads[t], &found);
        wrong += (long)found;
    }
    printf("%ld wrong", wrong);
    return 0;
}
`;
};

describe.skipIf(missingTools({ gcc: 'gcc' }))('threads that call a C program at the same time', () => {
  it.each([
    ['small, its memory on the stack', SMALL, false, 4000],
    ['large, with memory of each thread', LARGE, true, 200],
  ] as const)('give what one gives: %s', async (_, graph, isCaller, rounds) => {
    const { files } = await emitC(graph);
    const folder = writeFiles(new Map([...files, ['main.c', threads(isCaller)]]));
    runTool('gcc', [...STRICT, '-c', 'net.c'], { cwd: folder });
    // Outside of the standard of the program itself: threads.
    const flags = ['-std=gnu11', '-O1', '-pthread', `-DROUNDS=${rounds}`];
    runTool('gcc', [...flags, '-o', 'main', 'main.c', 'net.o'], { cwd: folder });
    expect(runTool(join(folder, 'main'), [], { cwd: folder }).toString()).toBe('0 wrong');
  });
});
