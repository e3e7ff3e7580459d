/** A cost report as one page that needs nothing else: no script, no font, no image from elsewhere. */
import { type CostReport, FORM_TITLES } from '../../analyses/cost-report.js';
import { printable } from '../../diagnostics/index.js';
import type { ModelReport } from '../../driver/cost-report.js';
import {
  artifactLines,
  bitOpsText,
  bitsText,
  headline,
  missingNote,
  parametersText,
  ratioSentences,
  showCount,
  sizeText,
  TOTAL_HEADINGS,
  totalRows,
} from './text.js';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text for elements and quoted attributes; everything that comes out of a file goes through here. */
export const escapeHtml = (text: string, limit = 500): string =>
  printable(text, limit).replace(/[&<>"']/g, (c) => ENTITIES[c] ?? c);

const row = (cells: ReadonlyArray<string>, tag: 'td' | 'th' = 'td'): string =>
  `<tr>${cells.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join('')}</tr>`;

const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  `<div class="wide"><table>\n<thead>${row(head, 'th')}</thead>\n<tbody>\n${rows.map((r) => row(r)).join('\n')}\n</tbody>\n</table></div>`;

const CHART = { label: 190, width: 430, line: 26, value: 80 } as const;

/** A bar for each form, on a logarithmic scale that begins a decade below the shortest. */
export const barChart = ({ forms, total }: CostReport): string => {
  const bars = forms.flatMap((form) => {
    const bitOps = total.costs[form]?.bitOps ?? 0;
    return bitOps > 0 ? [{ form, bitOps }] : [];
  });
  if (bars.length === 0) return '';
  const logs = bars.map(({ bitOps }) => Math.log10(bitOps));
  const from = Math.floor(Math.min(...logs)) - 1;
  const span = Math.max(1, Math.max(...logs) - from);
  const drawn = bars.map(({ form, bitOps }, k) => {
    const y = k * CHART.line;
    const length = Math.max(1, (CHART.width * (Math.log10(bitOps) - from)) / span);
    return [
      `<text x="${CHART.label - 8}" y="${y + 17}" text-anchor="end">${escapeHtml(FORM_TITLES[form])}</text>`,
      `<rect x="${CHART.label}" y="${y + 4}" width="${length.toFixed(1)}" height="18" class="${form}"/>`,
      `<text x="${(CHART.label + length + 6).toFixed(1)}" y="${y + 17}">${showCount(bitOps)}</text>`,
    ].join('');
  });
  const [width, height] = [CHART.label + CHART.width + CHART.value, bars.length * CHART.line];
  return `<svg viewBox="0 0 ${width} ${height}" width="${width}" role="img" aria-label="BitOps of one inference, by form, on a logarithmic scale">\n${drawn.join('\n')}\n</svg>`;
};

const STYLE = `body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#1b1f24;background:#fff}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}
svg{font-size:13px;max-width:100%}rect{fill:#8aa0b8}rect.compiled{fill:#d9722e}rect.edge,rect.basis{fill:#4a7fb5}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}.wide{overflow-x:auto}
th,td{padding:.2rem .6rem;text-align:right;white-space:nowrap;border-bottom:1px solid #dde2e8}th:first-child,td:first-child{text-align:left}`;

const list = (lines: ReadonlyArray<string>): string =>
  lines.length === 0 ? '' : `<ul>\n${lines.map((l) => `<li>${escapeHtml(l)}</li>`).join('\n')}\n</ul>`;

export const reportPage = (made: ModelReport): string => {
  const { report, artifact } = made;
  const { forms, layers, rest, total } = report;
  const titles = forms.map((form) => FORM_TITLES[form]);
  const rows = [
    ...layers.map((l) => [
      l.name,
      sizeText(l),
      parametersText(l),
      bitsText(l),
      ...forms.map((form) => bitOpsText(l, form)),
    ]),
    ['(rest)', '', parametersText(rest), '', ...forms.map((form) => bitOpsText(rest, form))],
    ['total', '', parametersText(total), '', ...forms.map((form) => bitOpsText(total, form))],
  ];
  const title = escapeHtml(headline(made));
  return [
    '<!doctype html>',
    '<html lang="en">',
    `<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>`,
    `<style>\n${STYLE}\n</style></head>`,
    '<body>',
    `<h1>${title}</h1>`,
    list(artifact === undefined ? [] : artifactLines(artifact)),
    '<h2>BitOps of one inference (logarithmic)</h2>',
    barChart(report),
    list([...ratioSentences(report), ...missingNote(made)]),
    '<h2>By form</h2>',
    table(TOTAL_HEADINGS, totalRows(report)),
    '<h2>BitOps by layer</h2>',
    table(['layer', 'size', 'parameters', 'W/A/B/T', ...titles], rows),
    '</body>',
    '</html>',
    '',
  ].join('\n');
};
