/** Plots of a sweep as SVG: points with their front, and bars. Colours are those of the page. */
import { log } from '../../../numeric/transcendental.js';
import { escapeHtml } from '../../costs/html.js';

const SIZE = { width: 620, height: 340, left: 66, right: 16, top: 14, bottom: 48 } as const;

export interface Mark {
  readonly x: number;
  readonly y: number;
  /** Half of the bar of its error. */
  readonly error: number;
  readonly title: string;
  readonly onFront: boolean;
}

export interface Scatter {
  readonly marks: ReadonlyArray<Mark>;
  /** Logarithmic. */
  readonly xTitle: string;
  readonly yTitle: string;
  readonly xText: (x: number) => string;
}

const fixed = (n: number): string => n.toFixed(1);

/** Round steps of 1, 2 or 5 for about `count` ticks. */
export const linearTicks = (lo: number, hi: number, count: number): ReadonlyArray<number> => {
  const rough = (hi - lo) / count;
  if (!(rough > 0)) return [lo];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough) ?? rough;
  const first = Math.ceil(lo / step);
  const last = Math.floor(hi / step);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, k) => (first + k) * step);
};

/** 1, 2 and 5 times powers of ten from lo to hi. */
export const logTicks = (lo: number, hi: number): ReadonlyArray<number> => {
  const ticks: number[] = [];
  for (let power = 10 ** Math.floor(Math.log10(lo)); power <= hi; power *= 10) {
    for (const m of [1, 2, 5]) if (m * power >= lo && m * power <= hi) ticks.push(m * power);
  }
  return ticks;
};

/** Drops above this share of the range that matters are drawn at the edge, or a few bad points would hide the rest. */
const shownTop = (marks: ReadonlyArray<Mark>): number => {
  const drops = marks.map((m) => m.y).sort((a, b) => a - b);
  const typical = drops[Math.floor((drops.length - 1) * 0.75)] ?? 1;
  return Math.max(0.1, Math.min(drops.at(-1) ?? 1, 2 * Math.max(typical, 0.5)));
};

/** Marks above what is shown stand on the upper edge, hollow. */
export const scatterPlot = ({ marks, xTitle, yTitle, xText }: Scatter): string => {
  const positive = marks.filter((m) => m.x > 0);
  if (positive.length === 0) return '';
  const { width, height, left, right, top, bottom } = SIZE;
  const xs = positive.map((m) => m.x);
  const [x0, x1] = [Math.min(...xs) / 1.15, Math.max(...xs) * 1.15];
  const y1 = shownTop(positive);
  const y0 = Math.min(0, ...positive.map((m) => m.y)) - 0.05 * y1;
  const px = (x: number): number => left + ((width - left - right) * log(x / x0)) / log(x1 / x0);
  const py = (y: number): number =>
    height - bottom - ((height - top - bottom) * (Math.min(y, y1) - y0)) / (y1 - y0);
  const grid = [
    ...linearTicks(y0, y1, 6).map(
      (y) =>
        `<line class="grid" x1="${left}" x2="${width - right}" y1="${fixed(py(y))}" y2="${fixed(py(y))}"/><text x="${left - 8}" y="${fixed(py(y) + 4)}" text-anchor="end">${Number(y.toPrecision(3))}</text>`,
    ),
    ...logTicks(x0, x1).map(
      (x) =>
        `<line class="grid" y1="${top}" y2="${height - bottom}" x1="${fixed(px(x))}" x2="${fixed(px(x))}"/><text x="${fixed(px(x))}" y="${height - bottom + 16}" text-anchor="middle">${escapeHtml(xText(x))}</text>`,
    ),
  ];
  // The front last, so that nothing covers it.
  const order = [...positive.filter((m) => !m.onFront), ...positive.filter((m) => m.onFront)];
  const drawn = order.map((m) => {
    const [x, y] = [fixed(px(m.x)), fixed(py(m.y))];
    const classes = [m.onFront ? 'front' : 'other', ...(m.y > y1 ? ['above'] : [])].join(' ');
    const bar =
      m.onFront && m.y <= y1
        ? `<line class="error" x1="${x}" x2="${x}" y1="${fixed(py(m.y - m.error))}" y2="${fixed(py(m.y + m.error))}"/>`
        : '';
    return `${bar}<circle class="${classes}" cx="${x}" cy="${y}" r="${m.onFront ? 4.5 : 3}"><title>${escapeHtml(m.title)}</title></circle>`;
  });
  const front = positive.filter((m) => m.onFront).sort((a, b) => a.x - b.x);
  const line = front.map((m) => `${fixed(px(m.x))},${fixed(py(m.y))}`).join(' ');
  return [
    `<svg viewBox="0 0 ${width} ${height}" width="${width}" role="img" aria-label="${escapeHtml(`${yTitle} against ${xTitle}`)}">`,
    ...grid,
    `<polyline class="front" points="${line}"/>`,
    ...drawn,
    `<text x="${(left + width - right) / 2}" y="${height - 8}" text-anchor="middle">${escapeHtml(xTitle)} (logarithmic)</text>`,
    `<text transform="translate(14 ${(top + height - bottom) / 2}) rotate(-90)" text-anchor="middle">${escapeHtml(yTitle)}</text>`,
    '</svg>',
  ].join('\n');
};

export interface Bar {
  readonly label: string;
  readonly value: number;
  readonly text: string;
}

const ROW = { label: 130, width: 260, height: 22, value: 130 } as const;

/** Horizontal bars on a linear scale from 0; negative values have none. */
export const bars = (list: ReadonlyArray<Bar>, most: number, title: string): string => {
  const [width, height] = [ROW.label + ROW.width + ROW.value, list.length * ROW.height];
  const drawn = list.map(({ label, value, text }, k) => {
    const [y, length] = [
      k * ROW.height,
      most > 0 ? (ROW.width * Math.max(0, Math.min(value, most))) / most : 0,
    ];
    return [
      `<text x="${ROW.label - 8}" y="${y + 15}" text-anchor="end">${escapeHtml(label)}</text>`,
      `<rect x="${ROW.label}" y="${y + 4}" width="${fixed(length)}" height="14"/>`,
      `<text x="${fixed(ROW.label + length + 6)}" y="${y + 15}">${escapeHtml(text)}</text>`,
    ].join('');
  });
  return `<svg viewBox="0 0 ${width} ${height}" width="${width}" role="img" aria-label="${escapeHtml(title)}">\n${drawn.join('\n')}\n</svg>`;
};
