/** `kanc verify --prove`: what it does. */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Json } from '../../../backends/backend.js';
import { type Diagnostic, type Diagnostics, diagnostic } from '../../../diagnostics/index.js';
import type { Capabilities } from '../../../driver/capabilities.js';
import { loadArtifact } from '../../../driver/models.js';
import { type Proof, proveArtifact } from '../../../driver/prove/prove-artifact.js';
import type { Mismatch } from '../../../driver/verify-artifact.js';
import type { Finding, StageMismatch } from '../../../prove/prove.js';
import { EXIT, showAll } from '../../report.js';
import { jsonLine } from '../../show.js';

export interface ProveFlags {
  readonly json?: boolean;
  readonly proveLimit: number;
}

export const proveFolder = (
  world: Capabilities,
  folder: string,
  { json, proveLimit }: ProveFlags,
): TE.TaskEither<Diagnostics, number> =>
  pipe(
    loadArtifact(world)(folder),
    TE.flatMap((artifact) =>
      proveArtifact(world, artifact, { seconds: proveLimit, onProgress: world.terminal.progress }),
    ),
    TE.map((proof) => {
      world.terminal.progress('');
      world.terminal.out(json === true ? jsonLine(toJson(proof)) : showProof(proof));
      const wrong = faults(folder, proof);
      if (wrong === undefined) return EXIT.ok;
      world.terminal.err(showAll(wrong));
      return EXIT.diagnosed;
    }),
  );

/** What a proof rests on, besides what it says itself. */
const ASSUMPTIONS = [
  'what is proved holds for every input if, besides,',
  '- the ranges of model.kir are right: the verifier has checked them when the file was read;',
  '- a stage of a table layer adds one row for every input, whatever the other inputs are;',
  '- stages of single elements do the same at every element, and codes grow with the value where not all were run;',
  '- stages depend on nothing but their operands, and run one after another as in the whole runs.',
];

const showProof = ({ target, about, findings, whole, milliseconds }: Proof): string => {
  const lines = findings.flatMap(showFinding);
  const [proved, sampled] = stageCounts(findings);
  const [compared, mismatches] = totals(findings);
  return [
    `${target}: ${about}`,
    ...lines,
    'the whole program',
    `  sampled  ${whole.samples} inputs, ${whole.integers} integers and ${whole.floats} floats${wrongCount(whole.mismatches)}`,
    '',
    `${proved} stages proved, ${sampled} sampled: ${compared} results compared, ${mismatches + whole.mismatches} mismatches, ${(milliseconds / 1000).toFixed(1)} s`,
    ...ASSUMPTIONS,
    '',
  ].join('\n');
};

/** A heading where a stage begins is the value; lines under it are claims. */
const showFinding = (f: Finding, k: number, all: ReadonlyArray<Finding>): ReadonlyArray<string> => {
  const before = all[k - 1];
  const heading = `%${f.value} = ${f.op}${f.way === '' ? '' : `, ${f.way}`}`;
  const isFirst = before === undefined || before.value !== f.value || before.way !== f.way;
  return [
    ...(isFirst ? [heading] : []),
    `  ${f.claim.padEnd(7)}  ${f.what}${wrongCount(f.mismatches)}`,
    ...(f.why === undefined ? [] : [`           (${f.why})`]),
  ];
};

/** Stages of which all is proved that has to be, and the others. */
const stageCounts = (findings: ReadonlyArray<Finding>): readonly [number, number] => {
  const key = (f: Finding): string => `${f.value} ${f.way}`;
  const all = new Set(findings.map(key));
  const sampled = new Set(findings.filter((f) => f.claim === 'sampled').map(key));
  return [all.size - sampled.size, sampled.size];
};

const wrongCount = (mismatches: number): string => (mismatches === 0 ? '' : `: ${mismatches} MISMATCHES`);

const totals = (findings: ReadonlyArray<Finding>): readonly [number, number] => [
  findings.reduce((n, f) => n + f.compared, 0),
  findings.reduce((n, f) => n + f.mismatches, 0),
];

/** JSON has no NaN and no infinities. */
const withText = <M extends StageMismatch | Mismatch>(m: M): Json => ({
  ...m,
  expected: String(m.expected),
  found: String(m.found),
});

const toJson = ({ target, about, findings, whole, milliseconds }: Proof): Json => {
  const [compared, mismatches] = totals(findings);
  const [proved, sampled] = stageCounts(findings);
  return {
    target,
    about,
    milliseconds: Math.round(milliseconds),
    stages: { proved, sampled },
    compared,
    mismatches: mismatches + whole.mismatches,
    findings: findings.map(({ first, ...f }) => ({
      ...f,
      ...(first === undefined ? {} : { first: withText(first) }),
    })),
    whole: wholeJson(whole),
    assumptions: ASSUMPTIONS.slice(1).map((line) => line.replace(/^- |[;.]$/g, '')),
  };
};

const wholeJson = ({ first, ...counts }: Proof['whole']): Json => ({
  ...counts,
  ...(first === undefined ? {} : { first: withText(first) }),
});

/** What is wrong, by stage; the whole program only where all stages are right. */
const faults = (file: string, { findings, whole }: Proof): Diagnostics | undefined => {
  const ofStages = findings.flatMap(
    ({ first }): ReadonlyArray<Diagnostic> => (first === undefined ? [] : [stageFault(file, first)]),
  );
  const [first, ...rest] = ofStages;
  if (first !== undefined) return [first, ...rest];
  if (whole.first === undefined) return undefined;
  const { value, index, sample, expected, found } = whole.first;
  return [
    diagnostic(
      'K0604',
      `all stages are right by themselves, but in the whole program '${value}' differs at element ${index} of sample ${sample}: the interpreter gives ${expected}, the artifact ${found}`,
      { place: { file }, hint: 'Please report this with the folder.' },
    ),
  ];
};

const stageFault = (file: string, m: StageMismatch): Diagnostic =>
  diagnostic(
    'K0604',
    `value '${m.value}'${m.way === '' ? '' : ` (${m.way})`} differs in ${m.output}, with ${m.where}: the interpreter gives ${m.expected}, the artifact ${m.found}`,
    { place: { file }, hint: 'Please report this with the folder.' },
  );
