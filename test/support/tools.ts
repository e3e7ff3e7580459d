/** Programs that tests call, such as C compilers: where they are missing tests are skipped, but never in CI. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const has = (tool: string): boolean =>
  spawnSync(tool, ['--version'], { stdio: 'ignore' }).error === undefined;

/** In CI nothing may be missing. */
const skipped = (message: string): true => {
  if (process.env['CI'] !== undefined) throw new Error(message);
  console.warn(`skipped: ${message}`);
  return true;
};

/** Whether tests that need these tools must be left out; says how to install what is missing. */
export const missingTools = (packages: Readonly<Record<string, string>>): boolean => {
  const missing = Object.keys(packages).filter((tool) => !has(tool));
  if (missing.length === 0) return false;
  const install = missing.map((tool) => packages[tool]).join(' ');
  return skipped(`missing: ${missing.join(', ')}; apt-get install ${install}`);
};

/**
 * Whether tests that build with sanitizers must be left out: a compiler may be there without the libraries that its sanitizers
 * need, which are a package of their own. `compilers`: each with the flags that it is called with.
 */
export const missingSanitizers = (compilers: Readonly<Record<string, ReadonlyArray<string>>>): boolean => {
  const without = Object.entries(compilers).filter(([compiler, flags]) => !links(compiler, flags));
  if (without.length === 0) return false;
  const what = without.map(([compiler, flags]) => `${compiler} ${flags.join(' ')}`).join(', ');
  return skipped(
    `does not link: ${what}; Debian has the libraries of gcc in libgcc-dev, those of clang in libclang-rt-dev`,
  );
};

/** Whether a program of nothing is built with these flags, and runs. */
const links = (compiler: string, flags: ReadonlyArray<string>): boolean => {
  const folder = mkdtempSync(join(tmpdir(), 'kanc-links-'));
  const source = join(folder, compiler.includes('++') ? 'empty.cpp' : 'empty.c');
  try {
    writeFileSync(source, 'int main(void) { return 0; }\n');
    const built = spawnSync(compiler, [...flags, '-o', join(folder, 'empty'), source], { stdio: 'ignore' });
    return built.status === 0 && spawnSync(join(folder, 'empty'), { stdio: 'ignore' }).status === 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** Runs a tool and gives what it writes; throws with its messages when it fails. */
export const runTool = (
  tool: string,
  args: ReadonlyArray<string>,
  options: {
    readonly cwd: string;
    readonly input?: Uint8Array;
    readonly env?: Readonly<Record<string, string>>;
  },
): Buffer => {
  const { status, stdout, stderr, error } = spawnSync(tool, args, {
    cwd: options.cwd,
    input: options.input ?? new Uint8Array(0),
    env: { ...process.env, ...options.env },
    maxBuffer: 2 ** 30,
  });
  if (error !== undefined) throw error;
  if (status !== 0) {
    throw new Error(`${tool} ${args.join(' ')}: status ${status}\n${stderr.toString()}${stdout.toString()}`);
  }
  return stdout;
};
