/** Numbers as people read them. */

const UNITS = ['B', 'kB', 'MB', 'GB'] as const;

/** Three digits that matter. */
const short = (x: number): string =>
  x >= 100 ? Math.round(x).toLocaleString('en') : String(Number(x.toPrecision(3)));

export const bytes = (count: number): string => {
  const unit = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, count)) / 3)));
  return `${short(count / 1000 ** unit)} ${UNITS[unit]}`;
};

export const micro = (microseconds: number): string => {
  if (microseconds >= 1e6) return `${short(microseconds / 1e6)} s`;
  return microseconds >= 1000 ? `${short(microseconds / 1000)} ms` : `${short(microseconds)} µs`;
};

export const milli = (milliseconds: number): string => micro(1000 * milliseconds);

export const percent = (share: number, digits = 2): string => `${(100 * share).toFixed(digits)} %`;

export const number = (x: number): string => String(Number(x.toPrecision(4)));

export const count = (n: number, noun: string): string =>
  `${n.toLocaleString('en')} ${noun}${n === 1 ? '' : 's'}`;
