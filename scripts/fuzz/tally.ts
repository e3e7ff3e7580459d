/** What a run of a fuzzer has seen, and how it goes on: until its time is over, past findings that are known already. */
import { fingerprint } from './corpus.js';

export interface Finding {
  readonly message: string;
  /** Where it was written, and what runs it again. */
  readonly folder: string;
  seen: number;
}

export interface Tally {
  executions: number;
  integers: number;
  floats: number;
  /** How often the compiler or a reader refused, by code. */
  readonly refusals: Map<string, number>;
  readonly findings: Map<string, Finding>;
  /** Networks that ran, by engine. */
  readonly engines: Map<string, number>;
}

export const emptyTally = (): Tally => ({
  executions: 0,
  integers: 0,
  floats: 0,
  refusals: new Map(),
  findings: new Map(),
  engines: new Map(),
});

export const countRefusal = (tally: Tally, codes: ReadonlyArray<string>): void => {
  const code = codes[0] ?? 'none';
  tally.refusals.set(code, (tally.refusals.get(code) ?? 0) + 1);
};

/** Whether a finding is one that was met before in this run; counts it if so. */
export const isKnown = (tally: Tally, message: string): boolean => {
  const known = tally.findings.get(fingerprint(message));
  if (known === undefined) return false;
  known.seen++;
  return true;
};

export const addFinding = (tally: Tally, message: string, folder: string): void => {
  tally.findings.set(fingerprint(message), { message, folder, seen: 1 });
};

/** When a run ends: after so many executions, or so much time, or when someone says so. */
export interface Extent {
  readonly seed: number;
  readonly executions: number;
  readonly seconds: number;
  readonly signal?: AbortSignal;
}

/** Whether a run goes on; it began at `start`. */
export const goesOn = ({ executions, seconds, signal }: Extent, tally: Tally, start: number): boolean =>
  tally.executions < executions && performance.now() < start + seconds * 1000 && signal?.aborted !== true;

export const showTally = (name: string, tally: Tally): string => {
  const { executions, integers, floats, refusals, findings, engines } = tally;
  const codes = [...refusals].sort(([, a], [, b]) => b - a).map(([code, n]) => `${code} ${n}`);
  return [
    `${name}: ${executions} executions, ${integers} integers and ${floats} floats compared, ${findings.size} findings`,
    ...(engines.size === 0 ? [] : [`  ran: ${[...engines].map(([e, n]) => `${e} ${n}`).join(', ')}`]),
    `  refused: ${codes.join(', ') || 'none'}`,
    ...[...findings.values()].flatMap(({ message, folder, seen }) => [
      `  finding (${seen} times): ${message}`,
      `    npm run fuzz -- --replay ${folder}`,
    ]),
  ].join('\n');
};
