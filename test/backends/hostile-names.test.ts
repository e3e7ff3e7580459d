/** Names come from files of strangers: the code of every target is the same whatever the name, but for an identifier. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backends/backend.js';
import { c } from '../../src/backends/c/index.js';
import { hls } from '../../src/backends/hls/index.js';
import { verilog } from '../../src/backends/verilog/index.js';
import { wasm } from '../../src/backends/wasm/index.js';
import { wgsl } from '../../src/backends/wgsl/index.js';
import { toValueName } from '../../src/ir/graph.js';
import { type Graph, isLevel, printGraph, type ValueName } from '../../src/ir/index.js';
import { compiled, randomKan } from '../passes/support.js';
import { rightOf } from '../support/checked.js';

const HOSTILE: ReadonlyArray<string> = [
  '*/ int EVIL; /*',
  'x\n#include "/etc/passwd"\n',
  'x\\\nint EVIL;',
  '"; EVIL(); //',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a hostile name
  '`EVIL`${EVIL}`',
  "'); EVIL(); ('",
  '</script><script>EVIL()</script>',
  'x; endmodule module EVIL; initial $system("EVIL");',
  '$(EVIL) `EVIL` ; EVIL & EVIL | EVIL',
  '[exec EVIL] {EVIL}',
  '%s%n %x.evil',
  'x\u2028EVIL()\u2029\u0000\u001b[31m\u202e',
  '__proto__',
  'constructor',
  '../../../EVIL',
  '',
];

/** Names that code or its libraries have already, one of each kind. */
const TAKEN: ReadonlyArray<string> = [
  'raw',
  'x_t',
  'std',
  'time_t',
  'stdin',
  'fd_set',
  'EOF',
  'test',
  'e0',
  'module',
];

const table = ((): Graph<'table'> => {
  const graph = compiled(
    randomKan(3, { layers: [2, 2] }),
    'calibrate,quantize{act=3,table=4},tabulate{form=edge},fold,prune,dedupe,narrow,dce',
  );
  if (!isLevel('table')(graph)) throw new Error('not a table graph');
  return graph;
})();

/** The graph with its values named in turns, each with a number where the names do not suffice. */
const renamed = (graph: Graph<'table'>, names: ReadonlyArray<string>): Graph<'table'> => {
  const values = [...graph.inputs, ...graph.nodes];
  const known = new Map(
    values.map((value, k) => {
      const turn = Math.floor(k / names.length);
      return [value.name, toValueName(`${names[k % names.length]}${turn === 0 ? '' : turn}`)!] as const;
    }),
  );
  const of = (name: ValueName): ValueName => known.get(name)!;
  return {
    ...graph,
    inputs: graph.inputs.map((value) => ({ ...value, name: of(value.name) })),
    nodes: graph.nodes.map((node) => ({ ...node, name: of(node.name), operands: node.operands.map(of) })),
    outputs: graph.outputs.map(of),
  };
};

const filesOf = async <O>(
  target: Backend<O>,
  options: O,
  name: string,
  of: Graph<'table'> = table,
): Promise<ReadonlyMap<string, string>> => {
  const graph = { ...of, name };
  const made = rightOf(await target.emit(options, { version: '0', kir: printGraph(graph) })(graph)());
  return new Map([...made.files].flatMap(([file, s]) => (typeof s === 'string' ? [[file, s] as const] : [])));
};

const COMMENTS_AND_TEXTS =
  /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g;

const CODE: ReadonlySet<string> = new Set(['.c', '.h', '.cpp', '.js', '.ts', '.v', '.wgsl']);
/** Data, with escapes of their own, and pages that are read as text. */
const DATA: ReadonlySet<string> = new Set(['.json', '.kir', '.md']);

/** The mark of a build is a hash of all files, comments included. */
const BUILD = /(?<=_BUILD(?:!=)?)0x[0-9a-f]{8}u/g;

/** Code without its comments and texts, and without the size of the shader, which has the name in a comment. */
const bare = (files: ReadonlyMap<string, string>, text: string): string => {
  const shader = files.get('model.wgsl');
  const code = text.replace(COMMENTS_AND_TEXTS, '').replace(/\s+/g, '').replace(BUILD, 'BUILD');
  return shader === undefined ? code : code.replaceAll(String(Buffer.byteLength(shader)), 'SIZE');
};

const scratch = mkdtempSync(join(tmpdir(), 'kanc-names-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Writes the files and runs a tool on one of them; true where it takes it, undefined without the tool. */
const taken = (
  files: ReadonlyMap<string, string>,
  tool: string,
  args: ReadonlyArray<string>,
): boolean | undefined => {
  rmSync(scratch, { recursive: true, force: true });
  for (const [file, text] of files) {
    mkdirSync(dirname(join(scratch, file)), { recursive: true });
    writeFileSync(join(scratch, file), text);
  }
  const { status, error } = spawnSync(tool, [...args], { cwd: scratch });
  return error === undefined ? status === 0 : undefined;
};

interface Case {
  /** The name of the program is `net`: what else is made of the name of the graph ought to be text. */
  readonly named: (name: string) => Promise<ReadonlyMap<string, string>>;
  /** The name of the program is made of that of the graph. */
  readonly derived: (name: string) => Promise<ReadonlyMap<string, string>>;
  /** With other names of values, the first for the first value, and so on in turns. */
  readonly valuesNamed: (...names: ReadonlyArray<string>) => Promise<ReadonlyMap<string, string>>;
  /** A tool that reads the code, and which files it is given. */
  readonly tool: readonly [string, ReadonlyArray<string>, RegExp];
}

const caseOf = <O>(target: Backend<O>, options: readonly [O, O], tool: Case['tool']): Case => ({
  named: (name) => filesOf(target, options[0], name),
  derived: (name) => filesOf(target, options[1], name),
  valuesNamed: (...names) => filesOf(target, options[0], 'benign', renamed(table, names)),
  tool,
});

const WARNINGS = ['-Wno-unknown-pragmas', '-DKANC_OWN_AP_INT'];
const CASES: Readonly<Record<string, Case>> = {
  wasm: caseOf(wasm, [{}, {}], [process.execPath, ['--check'], /\.js$/]),
  wgsl: caseOf(wgsl, [{}, {}], [process.execPath, ['--check'], /\.js$/]),
  c: caseOf(c, [{ name: 'net' }, {}], ['gcc', ['-std=c99', '-fsyntax-only'], /\.c$/]),
  hls: caseOf(hls, [{ name: 'net' }, {}], ['g++', ['-std=c++17', '-fsyntax-only', ...WARNINGS], /\.cpp$/]),
  verilog: caseOf(
    verilog,
    [{ name: 'net', vectors: 4 }, { vectors: 4 }],
    ['iverilog', ['-t', 'null'], /\.v$/],
  ),
};

describe.each(Object.entries(CASES))(
  '%s',
  (_, { named, derived, valuesNamed, tool: [tool, args, reads] }) => {
    const compared = async (name: string): Promise<void> => {
      const [plain, files] = [await named('benign'), await named(name)];
      expect([...files.keys()]).toEqual([...plain.keys()]);
      for (const [file, text] of plain) {
        const [same, ending] = [files.get(file)!, extname(file)];
        if (DATA.has(ending)) continue;
        if (ending === '.js') expect(same).not.toContain('</script>');
        // Not toBe: the difference of two programs is of no use in a message.
        const isSame = CODE.has(ending) ? bare(files, same) === bare(plain, text) : same === text;
        expect(isSame, `${file} with the name ${JSON.stringify(name)}`).toBe(true);
      }
    };

    it('gives the same code for every name', async () => {
      for (const name of HOSTILE) await compared(name);
      await fc.assert(fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 20 }), compared), {
        seed: 1,
        numRuns: 15,
      });
    });

    it('gives the same code whatever values are called', async () => {
      const [plain, taken] = [
        await valuesNamed('value'),
        await valuesNamed('raw', 'x_t', 'module', 'std', 'reg'),
      ];
      for (const [file, text] of plain) {
        if (CODE.has(extname(file))) expect(bare(taken, taken.get(file)!), file).toBe(bare(plain, text));
      }
    });

    it('gives code that its tool reads', async () => {
      for (const name of [...HOSTILE.slice(0, 8), ...TAKEN]) {
        const files = await derived(name);
        const read = [...files.keys()].filter((file) => reads.test(file));
        expect(read.length).toBeGreaterThan(0);
        const isTaken = taken(files, tool, [...args, ...read]);
        if (isTaken === undefined && process.env['CI'] === undefined) return;
        expect(isTaken, JSON.stringify(name)).toBe(true);
      }
    });
  },
);
