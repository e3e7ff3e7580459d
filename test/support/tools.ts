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

const usable = new Map<string, boolean>();

/**
 * Flags that a compiler may lack libraries for, as sanitizers do; none of them, and a line that says so, where programs
 * with them are not built or do not run here.
 */
export const usableFlags = (compiler: string, flags: ReadonlyArray<string>): ReadonlyArray<string> => {
  const key = [compiler, ...flags].join(' ');
  const works = usable.get(key) ?? links(compiler, flags);
  if (!works && !usable.has(key)) {
    skipped(
      `the checks of ${key}, which does not link; apt-get install libclang-rt-dev, or the libgcc-dev of gcc`,
    );
  }
  usable.set(key, works);
  return works ? flags : [];
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
