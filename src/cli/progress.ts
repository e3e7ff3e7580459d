/** Signs of life of long work: a bar with the time that is left on a terminal, now and then a line in a log. */
import type { Capabilities } from '../driver/capabilities.js';

const WIDTH = 24;

const showSeconds = (seconds: number): string => {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};

/** Milliseconds between two lines about how far the work is, where nobody sees the bar. */
const INTERVAL = 60_000;

/** What people are told of long work while it runs. */
export interface Progress {
  /** A new part of the work has begun. */
  readonly stage: (text: string) => void;
  /** How far it is: a line for a terminal, and one for a log, where it is made only when it is wanted. */
  readonly step: (line: string, logged?: () => string) => void;
}

/** On a terminal one line that changes; elsewhere a line for every stage, and one a minute at most in between. */
export const progressOf = ({ terminal, now }: Pick<Capabilities, 'terminal' | 'now'>): Progress => {
  if (terminal.live) return { stage: terminal.progress, step: terminal.progress };
  let last = now();
  const log = (text: string): void => {
    last = now();
    terminal.err(`${text}\n`);
  };
  return {
    stage: log,
    step: (line, logged = () => line) => {
      if (now() - last >= INTERVAL) log(logged());
    },
  };
};

/** Tells what is done of all; what was done at the first call does not count in the estimate of the time. */
export const progressBar = (
  { now }: Pick<Capabilities, 'now'>,
  { step }: Progress,
  what: string,
): ((done: number, of: number) => void) => {
  let start: { readonly done: number; readonly at: number } | undefined;
  return (done, of) => {
    start ??= { done, at: now() };
    const share = of === 0 ? 1 : done / of;
    const filled = Math.round(WIDTH * share);
    const fresh = done - start.done;
    const left =
      fresh === 0 ? '' : `, ${showSeconds((((now() - start.at) / 1000) * (of - done)) / fresh)} left`;
    const text = `${done} of ${of} ${what}${left}`;
    step(`kanc: [${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}] ${text}`, () => `kanc: ${text}`);
  };
};
