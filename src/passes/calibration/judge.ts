/**
 * Whether calibration data are what the program will get. They are not checked against anything but themselves and the
 * grids of the network, so that what is said is a suspicion: a warning, never a refusal.
 */
import type { Tensor } from '../../ir/tensor.js';
import { channelsOf, innerOf } from '../../ir/types.js';
import type { Range } from '../../numeric/range-search.js';
import { PERCENTILE } from '../choose-range.js';
import type { CodePoint } from '../code-points.js';
import { type Remark, warning } from '../pass.js';
import { gridOf, misfitOf } from './grid.js';
import { type Outliers, outliersOf } from './outliers.js';

/** With fewer samples ranges depend on which ones they are. */
const FEW = 16;

/** Inputs that are named; of others there is a count. */
const NAMED = 3;

const show = (x: number): string => String(Number(x.toPrecision(4)));

const interval = ({ lo, hi }: Range): string => `[${show(lo)}, ${show(hi)}]`;

/** Some samples, or the same one again and again. */
const judgeCount = (given: Tensor): ReadonlyArray<Remark> => {
  const { batch, data } = given;
  if (batch < FEW) {
    return [
      warning(
        `there ${batch === 1 ? 'is one sample' : `are ${batch} samples`} only: ranges and tables fit ${batch === 1 ? 'it' : 'them'} and may not fit others; some hundred samples of all kinds are usual`,
      ),
    ];
  }
  const size = data.length / batch;
  for (let j = size; j < data.length; j++) if (!Object.is(data[j], data[j - size])) return [];
  return [warning(`all ${batch} samples are the same one: ranges and tables fit it and may not fit others`)];
};

/** The first value that is no number, by its place. */
export const firstGap = ({ data, batch }: Tensor): string | undefined => {
  const at = data.findIndex((x: number) => !Number.isFinite(x));
  const size = data.length / batch;
  return at < 0 ? undefined : `sample ${Math.floor(at / size)}, element ${at % size}`;
};

const describe = (o: Outliers, place: string): string => {
  const more = o.samples > 1 ? ` (${o.samples} samples have such values)` : '';
  return `${place} ${o.channel}, sample ${o.sample} is ${show(o.value)}${more}; all others lie in ${interval(o.others)}`;
};

/** Whether a range that all inputs share leaves these values out with `ranges=percentile`. */
const areCutOff = (found: ReadonlyArray<Outliers>, values: number): boolean => {
  const most = (values * PERCENTILE) / 100;
  const count = (end: 'below' | 'above'): number => found.reduce((n, o) => n + o[end], 0);
  return count('below') <= most && count('above') <= most;
};

/** What such values do, whichever `--ranges` is in effect, and what to do about them. */
const adviceFor = (found: ReadonlyArray<Outliers>, values: number): string => {
  const effect = areCutOff(found, values)
    ? 'Codes are spread over it unless their range leaves it out, as --ranges percentile does'
    : 'Codes are spread over it unless their range leaves it out, for which --ranges percentile cuts off too few values';
  return `${effect}: leave the sample out, or give missing values what training gave them`;
};

/** Values that stand for missing ones, or are faults. */
const judgeOutliers = (given: Tensor): ReadonlyArray<Remark> => {
  if (!(given.data instanceof Float32Array)) return [];
  const inner = innerOf(given.type);
  const found = outliersOf(given.data, channelsOf(given.type), inner);
  const place = inner > 1 ? 'channel' : 'input';
  const remarks = found
    .slice(0, NAMED)
    .map((o, k) =>
      warning(`${describe(o, place)}${k === 0 ? `. ${adviceFor(found, given.data.length)}` : ''}`),
    );
  const more = found.length - NAMED;
  return more > 0 ? [...remarks, warning(`${more} more ${place}s have values far from all others`)] : remarks;
};

/** Pixels that are 0 and 1 already, which are divided by 255 once more. */
const judgePixels = ({ data, type }: Tensor): ReadonlyArray<Remark> =>
  type.element.kind === 'uint' &&
  type.element.bits === 8 &&
  type.meaning === undefined &&
  data.some((x: number) => x > 0) &&
  data.every((x: number) => x <= 1)
    ? [
        warning(
          'all pixels are 0 or 1, and they are divided by 255: store pixels of 0 to 255, or the values that training had as floats',
        ),
      ]
    : [];

/** What is suspicious about the data themselves. */
export const judgeData = (given: Tensor): ReadonlyArray<Remark> => [
  ...judgeCount(given),
  ...judgePixels(given),
  ...judgeOutliers(given),
];

const SCALE =
  'Scale the data as training did, with --input-mean and --input-std or beforehand (pixels: --input-dtype u8)';

/** Whether the values that a first layer reads are of the scale of its grid. */
export const judgeScale = (point: CodePoint, { data, type }: Tensor): ReadonlyArray<Remark> => {
  const grid = point.first ? gridOf(point) : undefined;
  if (grid === undefined || !(data instanceof Float32Array)) return [];
  const misfit = misfitOf(data, channelsOf(type), innerOf(type), grid);
  if (misfit === undefined) return [];
  const own = grid.lo.length === 1 ? ` ${interval({ lo: grid.lo[0]!, hi: grid.hi[0]! })}` : '';
  const values = `98 % of the values lie in ${interval(misfit)}`;
  return [
    warning(
      misfit._tag === 'large'
        ? `${values}, and ${Math.round(100 * misfit.outside)} % of all outside of the grid${own} of %${grid.layer}. ${SCALE}`
        : `${values}, ${show(100 * misfit.share)} % of the grid${own} of %${grid.layer}. ${SCALE}`,
      point.name,
    ),
  ];
};
