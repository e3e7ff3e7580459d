/** Programs that tests call, such as C compilers: where they are missing tests are skipped, but never in CI. */
import { spawnSync } from 'node:child_process';

const has = (tool: string): boolean =>
  spawnSync(tool, ['--version'], { stdio: 'ignore' }).error === undefined;

/** Whether tests that need these tools must be left out; says how to install what is missing. */
export const missingTools = (packages: Readonly<Record<string, string>>): boolean => {
  const missing = Object.keys(packages).filter((tool) => !has(tool));
  if (missing.length === 0) return false;
  const install = missing.map((tool) => packages[tool]).join(' ');
  const message = `missing: ${missing.join(', ')}; apt-get install ${install}`;
  if (process.env['CI'] !== undefined) throw new Error(message);
  console.warn(`skipped: ${message}`);
  return true;
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
