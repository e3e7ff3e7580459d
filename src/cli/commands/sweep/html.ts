/** The results of a sweep as one page that needs nothing else: plots, the sensitivity of layers, a table to sort. */

import {
  FRONTS,
  type Front,
  type MeasuredPoint,
  measuredOf,
  type Results,
} from '../../../search/sweep/merge.js';
import type { Finished } from '../../../search/sweep/records.js';
import { METRIC_TITLES } from '../../../search/tally.js';
import { escapeHtml } from '../../costs/html.js';
import { showCount } from '../../costs/text.js';
import { showBytes } from '../../show.js';
import { linesOf, PLACEHOLDERS } from './compile-line.js';
import { bars, scatterPlot } from './plot.js';

const STYLE = `:root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--rule:#dde2e8;--soft:#9aa7b5;--accent:#c4561a;--bar:#4a7fb5}
@media(prefers-color-scheme:dark){:root{--ink:#dfe5ec;--paper:#14181d;--rule:#2c343d;--soft:#6f7d8c;--accent:#f0904e;--bar:#6ea3d8}}
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:84rem;padding:0 1rem;color:var(--ink);background:var(--paper)}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}h3{font-size:1rem;margin:.8rem 0 .2rem}.side{display:flex;flex-wrap:wrap;gap:1.5rem}
svg{font-size:12px;max-width:100%;height:auto}svg text{fill:var(--ink)}rect{fill:var(--bar)}
.grid{stroke:var(--rule)}.error{stroke:var(--accent)}polyline.front{fill:none;stroke:var(--accent);stroke-width:1.5}
circle.front{fill:var(--accent)}circle.other{fill:var(--soft)}circle.above{fill:none;stroke:var(--soft)}circle.front.above{stroke:var(--accent)}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}.wide{overflow-x:auto}
th,td{padding:.2rem .6rem;text-align:right;white-space:nowrap;border-bottom:1px solid var(--rule)}th:first-child,td:first-child{text-align:left}
code{user-select:all;-webkit-user-select:all}td.line{text-align:left}
th button{font:inherit;font-weight:600;color:inherit;background:none;border:0;padding:0;cursor:pointer}`;

/** Sorts the table by the column that is clicked, numbers by their value, and the other way at the next click. */
const SCRIPT = `for(const b of document.querySelectorAll('th button'))b.onclick=()=>{
const th=b.closest('th'),body=th.closest('table').tBodies[0],k=th.cellIndex,down=th.getAttribute('aria-sort')==='ascending';
const key=r=>{const v=r.cells[k].dataset.v;return v===undefined?r.cells[k].textContent:Number(v)};
const rows=[...body.rows].sort((p,q)=>{const a=key(p),b=key(q);return (a<b?-1:a>b?1:0)*(down?-1:1)});
for(const h of th.parentNode.cells)h.removeAttribute('aria-sort');
th.setAttribute('aria-sort',down?'descending':'ascending');body.append(...rows)};`;

/** A cell that is sorted by its value. */
const numberCell = (value: number, text: string): string => `<td data-v="${value}">${escapeHtml(text)}</td>`;

const HEADINGS = [
  'configuration',
  'drop',
  'error',
  'tables',
  'packed',
  'BitOps',
  'LUTs (estimate)',
  'on a front',
];

const FRONT_TITLES: Readonly<Record<Front, string>> = {
  memory: 'memory',
  packed: 'packed',
  bitops: 'BitOps',
  luts: 'LUTs',
};

const frontNames = ({ fronts }: Results, index: number): string =>
  (['memory', 'packed', 'bitops', 'luts'] as const)
    .filter((front) => fronts[front].includes(index))
    .map((front) => FRONT_TITLES[front])
    .join(', ');

const tableRow = (results: Results, { point, result }: MeasuredPoint): string => {
  const { cost } = result;
  return [
    `<tr><td>${escapeHtml(point.name)}</td>`,
    numberCell(result.drop, result.drop.toFixed(2)),
    numberCell(result.error, result.error.toFixed(2)),
    numberCell(cost.bytes, showBytes(cost.bytes)),
    numberCell(cost.packed, showBytes(cost.packed)),
    numberCell(cost.bitOps, showCount(cost.bitOps)),
    numberCell(cost.luts, showCount(cost.luts)),
    `<td>${escapeHtml(frontNames(results, point.index))}</td></tr>`,
  ].join('');
};

const plot = (results: Results, front: Front, title: string, xText: (x: number) => string): string => {
  const onFront = new Set(results.fronts[front]);
  const made = scatterPlot({
    marks: measuredOf(results.points).map(({ point, result }) => ({
      x: result.cost[FRONTS[front]],
      y: result.drop,
      error: result.error,
      onFront: onFront.has(point.index),
      title: `${point.name}: drop ${result.drop.toFixed(2)} (+-${result.error.toFixed(2)}), ${xText(result.cost[FRONTS[front]])}`,
    })),
    xTitle: title,
    yTitle: 'drop, percent',
    xText,
  });
  return `<div>${made}</div>`;
};

/** Bars of every layer: the drop when one knob alone has fewer bits than 8. */
const sensitivity = ({ points, header }: Results): ReadonlyArray<string> => {
  const alone = measuredOf(points).flatMap(({ point, result }) =>
    point.alone === undefined ? [] : [{ ...point.alone, result }],
  );
  if (alone.length === 0) return [];
  const drops = alone.map((a) => a.result.drop).sort((a, b) => a - b);
  // The steepest tenth may leave the plot, or the rest could not be told apart.
  const most = Math.max(0.1, drops[Math.floor(0.9 * (drops.length - 1))] ?? 0);
  const charts = header.identity.layers.flatMap((layer) => {
    const mine = alone.filter((a) => a.layer === layer);
    if (mine.length === 0) return [];
    const list = mine.map(({ knob, form, bits, result }) => ({
      label: `${knob === 'act' ? `act (${form})` : knob} ${bits}`,
      value: result.drop,
      text: `${result.drop.toFixed(2)} (+-${result.error.toFixed(2)})${result.drop > most ? ' ...' : ''}`,
    }));
    return [`<div><h3>${escapeHtml(layer)}</h3>${bars(list, most, `sensitivity of ${layer}`)}</div>`];
  });
  return [
    '<h2>One knob alone, all else at 8 bits: drop in percent</h2>',
    `<div class="side">\n${charts.join('\n')}\n</div>`,
  ];
};

const refusedList = (points: ReadonlyArray<Finished>): ReadonlyArray<string> => {
  const rows = points.flatMap(({ name, result }) =>
    result._tag === 'refused'
      ? [`<li>${escapeHtml(name)}: ${escapeHtml(`${result.code} ${result.message}`)}</li>`]
      : [],
  );
  return rows.length === 0 ? [] : ['<h2>Refused by the passes</h2>', `<ul>\n${rows.join('\n')}\n</ul>`];
};

/** Characters of a command: one that is cut off is of no use. */
const LONGEST_LINE = 20_000;

/** The commands that compile the points of all fronts. */
const commands = (results: Results, measured: ReadonlyArray<MeasuredPoint>): ReadonlyArray<string> => {
  const lines = linesOf(results, measured, new Set(Object.values(results.fronts).flat()));
  if (lines.length === 0) return [];
  const rows = lines.map(({ point, result, line }) =>
    [
      `<tr>${numberCell(result.drop, result.drop.toFixed(2))}`,
      numberCell(result.cost.bytes, showBytes(result.cost.bytes)),
      `<td>${escapeHtml(frontNames(results, point.index))}</td>`,
      `<td class="line"><code>${escapeHtml(line, LONGEST_LINE)}</code></td></tr>`,
    ].join(''),
  );
  const { checkpoint, calib, arch } = PLACEHOLDERS;
  const architecture =
    results.header.identity.options['architecture'] === undefined
      ? ''
      : `, ${escapeHtml(arch)} for the architecture file`;
  return [
    '<h2>To compile a point that is on a front</h2>',
    `<p>${escapeHtml(checkpoint)} stands for the checkpoint of the sweep, ${escapeHtml(calib)} for its calibration data${architecture}.</p>`,
    `<div class="wide"><table>\n<thead><tr><th>drop</th><th>tables</th><th>on a front</th><th>command</th></tr></thead>`,
    `<tbody>\n${rows.join('\n')}\n</tbody></table></div>`,
  ];
};

export const sweepPage = (results: Results): string => {
  const { header, points } = results;
  const { metric, samples, folds, labels } = header.identity;
  const measured = measuredOf(points);
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>kanc sweep</title>',
    `<style>\n${STYLE}\n</style></head>`,
    '<body>',
    `<h1>Sweep of ${points.length} configurations</h1>`,
    `<p>Drop: ${escapeHtml(METRIC_TITLES[metric])}, on ${samples} samples ${labels === null ? 'without labels' : 'with labels'}, each held out in one of ${folds} folds. The line joins what no other configuration beats in both; its bars are one standard error. Hollow points lie above the plot.</p>`,
    '<h2>Drop against cost</h2>',
    '<div class="side">',
    plot(results, 'memory', 'bytes of tables', showBytes),
    plot(results, 'packed', 'bytes of tables when packed', showBytes),
    plot(results, 'bitops', 'BitOps of one inference', showCount),
    plot(results, 'luts', 'LUTs, a rough estimate', showCount),
    '</div>',
    ...commands(results, measured),
    ...sensitivity(results),
    '<h2>All configurations</h2>',
    `<div class="wide"><table>\n<thead><tr>${HEADINGS.map((h) => `<th><button type="button">${escapeHtml(h)}</button></th>`).join('')}</tr></thead>`,
    `<tbody>\n${measured.map((p) => tableRow(results, p)).join('\n')}\n</tbody></table></div>`,
    ...refusedList(points),
    `<script>\n${SCRIPT}\n</script>`,
    '</body>',
    '</html>',
    '',
  ].join('\n');
};
