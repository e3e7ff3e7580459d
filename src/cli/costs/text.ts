/** A cost report as aligned text, and the words that it shares with the page. */
import {
  type CostReport,
  FORM_TITLES,
  type FormName,
  type LayerReport,
  type PartReport,
} from '../../analyses/cost-report.js';
import { printable } from '../../diagnostics/index.js';
import type { ArtifactReport, ModelReport } from '../../driver/cost-report.js';
import { showBytes, showPercent } from '../show.js';
import { hardwareLines } from './hardware.js';

/** Three digits and a unit: 12.3 M. */
export const showCount = (n: number): string => {
  const units = ['', ' k', ' M', ' G', ' T', ' P'];
  let [value, unit] = [n, 0];
  while (value >= 999.5 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${unit === 0 ? Math.round(value) : value.toPrecision(3)}${units[unit]}`;
};

/** 12.3x fewer, or 1.50x more. */
export const showRatio = (ratio: number): string => {
  const fewer = ratio >= 1;
  const factor = fewer ? ratio : 1 / ratio;
  return `${factor >= 100 ? factor.toFixed(0) : factor.toPrecision(3)}x ${fewer ? 'fewer' : 'more'}`;
};

export const ratioSentences = ({ ratios, forms }: CostReport): ReadonlyArray<string> =>
  forms.flatMap((form) => {
    const ratio = ratios.bitOps[form];
    return ratio === undefined || ratio === 0
      ? []
      : [`${FORM_TITLES[ratios.of]}: ${showRatio(ratio)} BitOps than ${FORM_TITLES[form]}`];
  });

const LONGEST_NAME = 60;

export const sizeText = ({ inputs, outputs, positions }: LayerReport): string =>
  `${inputs} x ${outputs}${positions === 1 ? '' : ` at ${positions}`}`;

/** W/A/B/T, the bits of coefficients, activations, basis values and edge-table entries. */
export const bitsText = ({ bits }: LayerReport): string =>
  bits === undefined ? '' : `${bits.coef}/${bits.act}/${bits.basis}/${bits.table}`;

export const parametersText = ({ parameters }: PartReport): string =>
  parameters === undefined ? '' : showCount(parameters);

export const bitOpsText = (part: PartReport, form: FormName): string => {
  const work = part.costs[form];
  return work === undefined ? '' : showCount(work.bitOps);
};

/** Columns of the same width, the first to the left and the others to the right. */
const aligned = (rows: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> => {
  const widths = (rows[0] ?? []).map((_, c) => Math.max(...rows.map((row) => row[c]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, c) => (c === 0 ? cell.padEnd(widths[c] ?? 0) : cell.padStart(widths[c] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
};

const layerRows = (r: CostReport): ReadonlyArray<ReadonlyArray<string>> => {
  const bitOps = (part: PartReport): ReadonlyArray<string> => r.forms.map((form) => bitOpsText(part, form));
  return [
    ['layer', 'size', 'parameters', 'W/A/B/T', ...r.forms],
    ...r.layers.map((l) => [
      printable(l.name, LONGEST_NAME),
      sizeText(l),
      parametersText(l),
      bitsText(l),
      ...bitOps(l),
    ]),
    ['(rest)', '', parametersText(r.rest), '', ...bitOps(r.rest)],
    ['total', '', parametersText(r.total), '', ...bitOps(r.total)],
  ];
};

export const TOTAL_HEADINGS = [
  'form',
  'BitOps',
  'multiplications',
  'additions',
  'table reads',
  'bytes',
] as const;

/** A row for each form, with TOTAL_HEADINGS. */
export const totalRows = (r: CostReport): ReadonlyArray<ReadonlyArray<string>> =>
  r.forms.flatMap((form) => {
    const work = r.total.costs[form];
    if (work === undefined) return [];
    const { bitOps, macs, adds, reads, bytes } = work;
    return [
      [
        FORM_TITLES[form],
        showCount(bitOps),
        showCount(macs),
        showCount(adds),
        showCount(reads),
        showBytes(bytes),
      ],
    ];
  });

const KINDS = { checkpoint: 'a checkpoint', graph: 'a graph', artifact: 'an artifact' } as const;

export const headline = ({ kind, report, artifact }: ModelReport): string =>
  `${report.name}, ${KINDS[kind]}${artifact === undefined ? '' : ` for ${artifact.target}`}`;

/** What an artifact tells of itself, a fact a line. */
export const artifactLines = (a: ArtifactReport): ReadonlyArray<string> => {
  const size = Object.entries(a.files).reduce(
    (n, [name, bytes]) => (name.endsWith('.kir') ? n : n + bytes),
    0,
  );
  const { divergence } = a;
  const same =
    divergence?.argmaxAgreement === undefined
      ? ''
      : `, the largest output is the same for ${showPercent(divergence.argmaxAgreement)}`;
  return [
    `files: ${showBytes(size)} without model.kir`,
    ...(a.pipeline === null ? [] : [`pipeline: ${a.pipeline}`]),
    ...(a.outOfRange === null ? [] : [`inputs out of range: ${a.outOfRange}, NaN: ${a.nan ?? 'zero'}`]),
    divergence === null
      ? 'divergence from the float network: not measured'
      : `divergence from the float network: ${showPercent(divergence.relativeRms)} (RMS)${same}, on ${divergence.samples} samples`,
    ...(a.hardware === undefined ? [] : hardwareLines(a.hardware)),
  ];
};

/** Why forms are missing, where some are. */
export const missingNote = ({ report }: ModelReport): ReadonlyArray<string> =>
  report.forms.includes('dense32')
    ? []
    : ['The sizes of the network as it was trained are not known, so nothing is compared with it.'];

export const reportText = (made: ModelReport): string => {
  const { report, artifact } = made;
  const lines = [
    headline(made),
    ...(artifact === undefined ? [] : artifactLines(artifact)),
    '',
    'BitOps of one inference:',
    ...aligned(layerRows(report)),
    '',
    ...aligned([TOTAL_HEADINGS, ...totalRows(report)]),
    '',
    ...ratioSentences(report),
    ...missingNote(made),
  ];
  return `${lines
    .map((line) => printable(line))
    .join('\n')
    .trimEnd()}\n`;
};
