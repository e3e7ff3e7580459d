/**
 * What passes do, to read: each file of test/filetests is a graph, the passes that run on it, and what comes out of them.
 * docs/writing-a-pass.md says how to add one. `npm run filetests -- --update` writes what comes out anew.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { describe, expect, it } from 'vitest';
import { type Checked, fail, showDiagnostic } from '../src/diagnostics/index.js';
import { type Graph, parseGraph, printGraph } from '../src/ir/index.js';
import {
  BUILTIN_PASSES,
  bindPipelineText,
  NO_CONTEXT,
  type Remark,
  runPipeline,
} from '../src/passes/index.js';

const FOLDER = fileURLToPath(new URL('filetests/', import.meta.url));
const AFTER = '// after:\n';

const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.kir'))
  .map((file) => file.replaceAll('\\', '/'))
  .sort();

/** The passes that a file runs: the text behind `// passes:` at the beginning of a line. */
const passesOf = (text: string): Checked<string> => {
  const found = /^\/\/ passes: (.+)$/m.exec(text)?.[1];
  return found === undefined ? fail('K0501', 'a line `// passes: ...` is missing') : E.right(found);
};

interface Ran {
  readonly graph: Graph;
  readonly remarks: ReadonlyArray<Remark>;
}

const run = (text: string): Checked<Ran> =>
  pipe(
    E.Do,
    E.bind('passes', () => passesOf(text)),
    E.bind('graph', () => parseGraph(text)),
    E.bind('pipeline', ({ passes, graph }) => bindPipelineText(passes, BUILTIN_PASSES, graph.level)),
    E.flatMap(({ pipeline, graph }) => {
      const remarks: Remark[] = [];
      return pipe(
        runPipeline(pipeline, graph, {
          context: NO_CONTEXT,
          verifyEach: true,
          onPass: (event) => {
            remarks.push(...event.remarks);
          },
        }),
        E.map((made) => ({ graph: made, remarks })),
      );
    }),
  );

const commented = (text: string): string =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => `// ${line}\n`)
    .join('');

/** What the passes say, and the graph that they leave; or why they refuse. */
const after = (text: string): string =>
  pipe(
    run(text),
    E.match(
      (diagnostics) => commented(diagnostics.map(showDiagnostic).join('\n')),
      ({ graph, remarks }) =>
        remarks
          .map(({ severity, op, message }) =>
            commented(`${severity}${op === undefined ? '' : ` %${op}`}: ${message}`),
          )
          .join('') + printGraph(graph),
    ),
  );

describe('filetests', () => {
  it.each(files)('%s', async (file) => {
    const path = `${FOLDER}${file}`;
    const [before = ''] = readFileSync(path, 'utf8').split(AFTER);
    await expect(`${before}${AFTER}${after(before)}`).toMatchFileSnapshot(path);
  });

  it('show every pass, each in its own folder', () => {
    const folders = new Set(files.map((file) => file.split('/')[0]));
    expect([...folders].sort()).toEqual(BUILTIN_PASSES.map(({ name }) => name).sort());
  });

  it('run the pass of their folder, and say first what they show', () => {
    for (const file of files) {
      const text = readFileSync(`${FOLDER}${file}`, 'utf8');
      expect(text, file).toMatch(/^\/\/ [A-Z]/);
      const passes = /^\/\/ passes: (.+)$/m.exec(text)?.[1] ?? '';
      expect(passes.startsWith(file.split('/')[0] ?? '?'), `${file}: ${passes}`).toBe(true);
    }
  });
});
