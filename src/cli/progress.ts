/** A bar for long work, with the time that is left. */
import type { Capabilities } from '../driver/capabilities.js';

const WIDTH = 24;

const showSeconds = (seconds: number): string => {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};

/** Draws what is done of all; what was done at the first call does not count in the estimate of the time. */
export const progressBar = (
  { terminal, now }: Pick<Capabilities, 'terminal' | 'now'>,
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
    terminal.progress(
      `kanc: [${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}] ${done} of ${of} ${what}${left}`,
    );
  };
};
