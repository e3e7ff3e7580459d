/** What a Node process removes when it ends, and when it is interrupted. */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';

/**
 * Removes folders when this process ends, however it ends. A handler of signals could not do so without making the process
 * deaf to them: it waits until the work that runs has ended, and builds, simulations and long loops do not end soon. It
 * reads names of folders, one a line. At the end of its input, when whoever wrote them is gone, it ends the programs that
 * still run in one of them, where the system tells which they are, and removes them all.
 */
const SCRIPT = `
while IFS= read -r folder; do set -- "$@" "$folder"; done
for folder; do
  for process in /proc/[0-9]*; do
    if [ "$(readlink "$process/cwd" 2>/dev/null)" = "$folder" ]; then kill -9 "\${process#/proc/}" 2>/dev/null; fi
  done
  rm -rf -- "$folder"
done
`;

let names: Writable | undefined;

/** Where there is no shell, folders stay behind when the process is killed. */
const start = (): Writable => {
  // In a group of its own, or Ctrl-C would end it too.
  const cleaner = spawn('sh', ['-c', SCRIPT], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  cleaner.on('error', () => {});
  cleaner.stdin.on('error', () => {});
  cleaner.unref();
  if (cleaner.stdin instanceof Socket) cleaner.stdin.unref();
  return cleaner.stdin;
};

/** `folder`: its absolute path without symbolic links. */
export const removeAtTheEnd = (folder: string): void => {
  if (process.platform === 'win32' || folder.includes('\n')) return;
  names ??= start();
  names.write(`${folder}\n`);
};

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const pending = new Set<string>();

const interrupted = (signal: NodeJS.Signals): void => {
  for (const path of pending) rmSync(path, { recursive: true, force: true });
  for (const name of SIGNALS) process.off(name, interrupted);
  // With the handler gone the signal does what it does by default, so that callers see why the process ended.
  process.kill(process.pid, signal);
};

/**
 * Handlers are there only while there is something to remove: programs that use kanc have their own, and a handler runs
 * only when the process waits for something. So this is for files that are being written, and not for what computes.
 */
export const removeOnInterrupt = (path: string): (() => void) => {
  if (pending.size === 0) for (const name of SIGNALS) process.on(name, interrupted);
  pending.add(path);
  return () => {
    if (!pending.delete(path) || pending.size > 0) return;
    for (const name of SIGNALS) process.off(name, interrupted);
  };
};
