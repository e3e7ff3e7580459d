/** One edge on a canvas: what its inputs are, its function, its table and what is between them. */
import { colour } from './dom.js';
import type { EdgeData } from './edge-data.js';

/** The colours of a drawing, read once for many edges. */
export interface Palette {
  readonly ink: string;
  readonly quiet: string;
  readonly rule: string;
  readonly curve: string;
  readonly table: string;
  readonly error: string;
  readonly histogram: string;
  readonly chosen: string;
  readonly card: string;
}

export const palette = (): Palette => ({
  ink: colour('ink'),
  quiet: colour('quiet'),
  rule: colour('rule'),
  curve: colour('curve'),
  table: colour('accent'),
  error: colour('error-fill'),
  histogram: colour('histogram'),
  chosen: colour('accent'),
  card: colour('card'),
});

export interface Frame {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Least and largest of what is drawn; never empty. */
const extent = (lists: ReadonlyArray<ArrayLike<number>>): readonly [number, number] => {
  let [lo, hi] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const list of lists) {
    for (let k = 0; k < list.length; k++) {
      const v = list[k] ?? 0;
      if (v < lo) lo = v;
      if (v > hi) hi = v;
    }
  }
  return hi > lo ? [lo, hi] : [lo - 1, lo + 1];
};

const paintHistogram = (
  context: CanvasRenderingContext2D,
  counts: ArrayLike<number>,
  { x, y, width, height }: Frame,
  { histogram }: Palette,
): void => {
  context.fillStyle = histogram;
  const each = width / counts.length;
  for (let b = 0; b < counts.length; b++) {
    // By the root: most inputs of an image are black, and the others matter too.
    const bar = Math.sqrt((counts[b] ?? 0) / 255) * height;
    if (bar > 0) context.fillRect(x + b * each, y + height - bar, Math.max(1, each - 0.5), bar);
  }
};

/** Ends of the cell of each step on the x axis. */
const cellEnds = (steps: ArrayLike<number>, lo: number, hi: number): ReadonlyArray<number> => [
  lo,
  ...Array.from(
    { length: Math.max(0, steps.length - 1) },
    (_, k) => ((steps[k] ?? 0) + (steps[k + 1] ?? 0)) / 2,
  ),
  hi,
];

const HISTOGRAM_SHARE = 0.3;

/** `range`: one of values for all edges, or undefined for one of its own. */
export const paintEdge = (
  context: CanvasRenderingContext2D,
  data: EdgeData,
  edge: number,
  frame: Frame,
  colours: Palette,
  range: readonly [number, number] | undefined,
): void => {
  const shape = data.shape(edge);
  const channel = data.channel(edge);
  if (shape === undefined || channel === undefined) return;
  const counts = data.histogram(edge);
  const { x, y, width, height } = frame;
  if (counts !== undefined) {
    const tall = height * HISTOGRAM_SHARE;
    paintHistogram(context, counts, { x, y: y + height - tall, width, height: tall }, colours);
  }
  const dead = data.dead(edge);
  const known = data.layer.source === 'functions';
  const [lo, hi] = range ?? extent(shape.table === undefined ? [shape.curve] : [shape.curve, shape.table]);
  const toX = (v: number): number => x + ((v - channel.lo) / (channel.hi - channel.lo)) * width;
  const toY = (v: number): number => y + 3 + (1 - (v - lo) / (hi - lo)) * (height - 6);
  const steps = data.steps(edge);
  const importance = data.importance(edge) / Math.max(1e-12, data.layer.importance.max);
  // The eye needs something to see of the least important too.
  context.globalAlpha = dead ? 0.45 : 0.35 + 0.65 * Math.min(1, Math.sqrt(importance) * 1.3);
  context.lineJoin = 'round';
  const curveAt = (v: number): number => {
    const k = ((v - channel.lo) / (channel.hi - channel.lo)) * (shape.curve.length - 1);
    const from = Math.max(0, Math.min(shape.curve.length - 2, Math.floor(k)));
    return (shape.curve[from] ?? 0) + ((shape.curve[from + 1] ?? 0) - (shape.curve[from] ?? 0)) * (k - from);
  };
  if (shape.table !== undefined && steps !== undefined) {
    const ends = cellEnds(steps, channel.lo, channel.hi);
    if (known && !dead) {
      context.fillStyle = colours.error;
      for (let c = 0; c < steps.length; c++) {
        const [from, to] = [ends[c] ?? 0, ends[c + 1] ?? 0];
        const level = toY(shape.table[c] ?? 0);
        context.beginPath();
        context.moveTo(toX(from), level);
        for (let k = 0; k <= 4; k++) {
          const v = from + ((to - from) * k) / 4;
          context.lineTo(toX(v), toY(curveAt(v)));
        }
        context.lineTo(toX(to), level);
        context.fill();
      }
    }
  }
  if (known || shape.table === undefined) {
    context.strokeStyle = dead ? colours.quiet : colours.curve;
    context.lineWidth = 2;
    context.setLineDash(dead ? [2, 3] : []);
    context.beginPath();
    const last = Math.max(1, shape.curve.length - 1);
    for (let k = 0; k < shape.curve.length; k++)
      context.lineTo(x + (width * k) / last, toY(shape.curve[k] ?? 0));
    context.stroke();
  }
  if (shape.table !== undefined && steps !== undefined) {
    const ends = cellEnds(steps, channel.lo, channel.hi);
    context.strokeStyle = colours.table;
    context.lineWidth = 1;
    context.setLineDash(dead ? [2, 3] : []);
    context.beginPath();
    for (let c = 0; c < steps.length; c++) {
      const level = toY(shape.table[c] ?? 0);
      context.lineTo(toX(ends[c] ?? 0), level);
      context.lineTo(toX(ends[c + 1] ?? 0), level);
    }
    context.stroke();
  }
  context.setLineDash([]);
  context.globalAlpha = 1;
};
