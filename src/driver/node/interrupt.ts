/** What a Node process cleans up when it is interrupted. */
import { rmSync } from 'node:fs';

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
