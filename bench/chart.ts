/** Charts as SVG: text and lines take their colours from the reader's scheme, and marks stand out on both. */

const STYLE = `<style>
text { font: 12px system-ui, sans-serif; fill: #3d444d } .soft { fill: #59636e } line { stroke: #8c959f66 }
@media (prefers-color-scheme: dark) { text { fill: #d1d7e0 } .soft { fill: #9198a1 } line { stroke: #65707b66 } }
</style>`;

/** Legible on white and on near black alike. */
const COLOURS = ['#1f9d55', '#7c8cf8', '#e08a1e', '#d1495b', '#8a6fb0'];

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

const svg = (width: number, height: number, title: string, body: ReadonlyArray<string>): string =>
  [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">`,
    STYLE,
    `<text x="12" y="20" style="font-size:14px;font-weight:600">${escaped(title)}</text>`,
    ...body,
    '</svg>',
    '',
  ].join('\n');

const number = (v: number): string => (v >= 100 ? v.toFixed(0) : v >= 10 ? v.toFixed(1) : v.toPrecision(2));

/** Powers of ten around values, and a map of a value to [0, 1]. */
const logScale = (values: ReadonlyArray<number>) => {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  return {
    ticks: Array.from({ length: high - low + 1 }, (_, k) => 10 ** (low + k)),
    at: (v: number): number => (Math.log10(v) - low) / (high - low),
  };
};

export interface Bars {
  readonly label: string;
  /** One for each series; undefined where there is no value. */
  readonly values: ReadonlyArray<number | undefined>;
}

const legend = (series: ReadonlyArray<string>, y: number): ReadonlyArray<string> =>
  series.map((name, k) => {
    const x = 12 + k * 150;
    return `<rect x="${x}" y="${y - 9}" width="10" height="10" rx="2" fill="${COLOURS[k]}"/><text x="${x + 15}" y="${y}">${escaped(name)}</text>`;
  });

/** Groups of bars on a logarithmic axis. */
export const barChart = (
  title: string,
  unit: string,
  series: ReadonlyArray<string>,
  groups: ReadonlyArray<Bars>,
): string => {
  const [left, right, bar, gap, top] = [240, 60, 11, 10, 60];
  const width = 800;
  const { ticks, at } = logScale(groups.flatMap((g) => g.values.filter((v) => v !== undefined)));
  const x = (v: number): number => left + at(v) * (width - left - right);
  const body: string[] = [...legend(series, 42)];
  let y = top;
  for (const { label, values } of groups) {
    const present = values.flatMap((v, k) => (v === undefined ? [] : [{ v, k }]));
    const middle = y + (present.length * (bar + 1)) / 2 + 4;
    body.push(`<text x="${left - 8}" y="${middle}" text-anchor="end">${escaped(label)}</text>`);
    for (const { v, k } of present) {
      const w = Math.max(1, x(v) - left).toFixed(1);
      body.push(`<rect x="${left}" y="${y}" width="${w}" height="${bar}" rx="2" fill="${COLOURS[k]}"/>`);
      body.push(
        `<text class="soft" x="${(x(v) + 4).toFixed(1)}" y="${y + 9}" style="font-size:10px">${number(v)}</text>`,
      );
      y += bar + 1;
    }
    y += gap;
  }
  const axis = ticks.map(
    (t) =>
      `<line x1="${x(t).toFixed(1)}" y1="${top - 6}" x2="${x(t).toFixed(1)}" y2="${y}"/><text class="soft" x="${x(t).toFixed(1)}" y="${y + 14}" text-anchor="middle">${t}</text>`,
  );
  const below = `<text class="soft" x="${width - right}" y="${y + 30}" text-anchor="end">${escaped(unit)}</text>`;
  return svg(width, y + 40, title, [...axis, ...body, below]);
};

export interface Line {
  readonly name: string;
  readonly points: ReadonlyArray<readonly [x: number, y: number]>;
}

/** Lines on two logarithmic axes: what is proportional has the slope of the dashed line. */
export const lineChart = (
  title: string,
  units: { readonly x: string; readonly y: string },
  lines: ReadonlyArray<Line>,
): string => {
  const [left, right, top, bottom] = [70, 30, 76, 50];
  const [width, height] = [800, 420];
  const points = lines.flatMap((l) => l.points);
  const [sx, sy] = [logScale(points.map(([a]) => a)), logScale(points.map(([, b]) => b))];
  const x = (v: number): string => (left + sx.at(v) * (width - left - right)).toFixed(1);
  const y = (v: number): string => (height - bottom - sy.at(v) * (height - top - bottom)).toFixed(1);
  const body = [
    ...legend(
      lines.map((l) => l.name),
      42,
    ),
    ...sx.ticks.map(
      (t) =>
        `<line x1="${x(t)}" y1="${top}" x2="${x(t)}" y2="${height - bottom}"/><text class="soft" x="${x(t)}" y="${height - bottom + 16}" text-anchor="middle">${t}</text>`,
    ),
    ...sy.ticks.map(
      (t) =>
        `<line x1="${left}" y1="${y(t)}" x2="${width - right}" y2="${y(t)}"/><text class="soft" x="${left - 6}" y="${(Number(y(t)) + 4).toFixed(1)}" text-anchor="end">${t}</text>`,
    ),
    `<text class="soft" x="${width - right}" y="${height - 14}" text-anchor="end">${escaped(units.x)}</text>`,
    `<text class="soft" x="${left}" y="${top - 6}">${escaped(units.y)}</text>`,
  ];
  for (const [k, { points: own }] of lines.entries()) {
    const [first, last] = [own[0]!, own.at(-1)!];
    const proportional = (first[1] * last[0]) / first[0];
    const path = own.map(([a, b]) => `${x(a)},${y(b)}`).join(' ');
    body.push(
      `<line x1="${x(first[0])}" y1="${y(first[1])}" x2="${x(last[0])}" y2="${y(proportional)}" stroke-dasharray="4 4"/>`,
      `<polyline points="${path}" fill="none" stroke="${COLOURS[k]}" stroke-width="2"/>`,
      ...own.map(([a, b]) => `<circle cx="${x(a)}" cy="${y(b)}" r="3" fill="${COLOURS[k]}"/>`),
    );
  }
  return svg(width, height, title, body);
};
