/** Programs of the machine, called by a Node process. */
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { fail } from '../../diagnostics/index.js';
import type { Tools } from '../capabilities.js';
import { removeAtTheEnd } from './cleanup.js';
import { reasonOf, SystemError } from './files.js';

/** Bytes that a program may write. */
const MOST_OUTPUT = 2 ** 30;

const isMissing = (error: Error | undefined): boolean => SystemError.is(error) && error.code === 'ENOENT';

/** Folders that are removed when the process ends. */
const scratched = new Set<string>();

const run: Tools['run'] = (tool, args, { cwd, input }) => {
  const found = spawnSync(tool, args, {
    cwd,
    input: input ?? new Uint8Array(0),
    maxBuffer: MOST_OUTPUT,
    // Compilers that are ended leave files of their own behind: they go with the folder.
    env: scratched.has(cwd) ? { ...process.env, TMPDIR: cwd } : process.env,
  });
  if (isMissing(found.error)) return undefined;
  const { status, stdout, stderr, error, signal } = found;
  const said = error?.message ?? String(stderr);
  // Ended by a signal, or not started: no status then.
  return {
    status: status ?? -1,
    stdout: stdout ?? new Uint8Array(0),
    stderr: signal === null ? said : `${said}\n${tool} was ended by ${signal}`.trim(),
  };
};

const removeScratched = (): void => {
  for (const folder of scratched) rmSync(folder, { recursive: true, force: true });
};

const scratch: Tools['scratch'] = () => {
  try {
    const folder = join(realpathSync(tmpdir()), `kanc-${randomUUID()}`);
    if (scratched.size === 0) process.once('exit', removeScratched);
    scratched.add(folder);
    // Before it is there: this process may be killed at any time.
    removeAtTheEnd(folder);
    mkdirSync(folder, { mode: 0o700 });
    return E.right(folder);
  } catch (error) {
    return fail('K0102', `no temporary folder could be made: ${reasonOf(error)}`, {
      place: { file: tmpdir() },
    });
  }
};

const write: Tools['write'] = (folder, files) => {
  try {
    for (const [name, content] of files) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
    return E.right(undefined);
  } catch (error) {
    return fail('K0102', `a temporary file could not be written: ${reasonOf(error)}`, {
      place: { file: folder },
    });
  }
};

export const nodeTools: Tools = { run, scratch, write };
