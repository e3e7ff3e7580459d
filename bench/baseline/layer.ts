/**
 * A KAN layer of floats: what is expanded, the coefficients in the order in which they are read, and the two halves
 * put together. A layer of features is one over an image of one pixel.
 */
import * as E from 'fp-ts/lib/Either.js';
import { roundUp } from '../../src/backends/wasm/storage.js';
import type { Branch } from '../../src/ir/basis.js';
import { channel, f32Data, type PerChannel } from '../../src/ir/constant.js';
import type { KanAttrs } from '../../src/ir/ops/kan.js';
import type { ValueType } from '../../src/ir/types.js';
import type { Code, Use } from './code.js';
import { contraction, type Passes, passesOf, passRange, rowBytesOf } from './contract.js';
import { type Expansion, expansionOf } from './expand.js';
import { expandAll } from './planes.js';
import { type Block, type Kernel, LANES, type Layout, layoutOf, type Piece } from './storage.js';
import { windowList } from './window-list.js';

/** What follows a layer and is computed with it. */
export interface Tail {
  /** A batch norm or another affine map: goes into the coefficients. */
  readonly scale?: PerChannel;
  readonly shift?: PerChannel;
  /** Is applied to the sums before they are stored. */
  readonly activation?: {
    readonly blocks: ReadonlyArray<Block>;
    readonly emit: (code: Code, x: Use, blocks: ReadonlyArray<number>, channel: number) => Use;
  };
}

/** One row of coefficients for each channel: where it stands, and the plane of its factor. */
export interface Term {
  readonly row: number;
  readonly plane: number;
  /** The plane of byte offsets, for functions whose first depends on the input. */
  readonly shift?: number;
}

/** The branches that read the same channels. */
export interface Part {
  readonly from: number;
  readonly channels: number;
  readonly branches: ReadonlyArray<{
    readonly branch: Branch;
    readonly expansion: Expansion;
    readonly plane: number;
  }>;
  readonly terms: ReadonlyArray<Term>;
  readonly planes: number;
  /** Rows of a channel at one tap. */
  readonly rows: number;
  /** Rows of zeros around all others: splines near the ends of the knots reach over them, with factors of 0. */
  readonly margin: number;
  /** Floats from one pixel to the next in a plane. */
  readonly stride: number;
  readonly planeBytes: number;
}

export const layerKernel = (
  attrs: KanAttrs,
  source: ValueType,
  target: ValueType,
  tail: Tail,
): E.Either<string, Kernel> => {
  const { window } = attrs;
  const [input, output] = [layoutOf(source), layoutOf(target)];
  const area = window === undefined ? 1 : window.kernel[0] * window.kernel[1];
  const groups = window?.groups ?? 1;
  const width = output.channels / groups;
  if (groups > 1 && width % LANES !== 0) return E.left(`groups of ${width} outputs are no whole vectors`);
  const parts = partsOf(attrs.branches, input, area);
  if (typeof parts === 'string') return E.left(parts);
  const passes = passesOf(width);
  const weights = parts.map((part) => packed(part, { area, groups, width, passes, scale: tail.scale ?? 1 }));
  const list = window === undefined ? undefined : windowList(window, source.shape);
  const blocks: Block[] = [
    ...weights,
    biasOf(attrs, output, tail),
    ...(list === undefined ? [] : [list.starts, list.entries]),
  ];
  const firstBasis = blocks.length;
  for (const part of parts) for (const { expansion } of part.branches) blocks.push(...expansion.blocks);
  const firstTail = blocks.length;
  blocks.push(...(tail.activation?.blocks ?? []));
  const bias = parts.length;
  const expansion: Piece = (code, operands) => {
    const bases = operands.blocks.slice(firstBasis);
    expandAll(code, { operands, parts, input, rowBytes: rowBytesOf(passes), bases });
  };
  const sums = contraction({
    parts,
    groups,
    area,
    output,
    passes,
    width,
    bias,
    ...(list === undefined
      ? {}
      : { list: { starts: bias + 1, entries: bias + 2, someEmpty: list.someEmpty } }),
    finish: (code, x, ch, { blocks: at }) => tail.activation?.emit(code, x, at.slice(firstTail), ch) ?? x,
  });
  return E.right({
    blocks,
    scratch: parts.reduce((n, p) => n + p.planes * p.planeBytes, 0),
    pieces: [expansion, ...sums],
    weights: weights.reduce((n, w) => n + w.byteLength, 0),
  });
};

const partsOf = (
  branches: ReadonlyArray<Branch>,
  input: Layout,
  area: number,
): ReadonlyArray<Part> | string => {
  const ranges = new Map<string, Branch[]>();
  for (const branch of branches) {
    const key = `${branch.from ?? 0} ${branch.weights.shape[0]}`;
    ranges.set(key, [...(ranges.get(key) ?? []), branch]);
  }
  const parts: Part[] = [];
  for (const [first, ...others] of ranges.values()) {
    const channels = first!.weights.shape[0]! / area;
    let [plane, row, margin] = [0, 0, 0];
    const terms: Term[] = [];
    const made: Part['branches'][number][] = [];
    for (const branch of [first!, ...others]) {
      const expansion = expansionOf(branch.basis, branch.weights.shape[0]!);
      if (expansion === undefined)
        return `there is no vector code for a ${branch.basis._tag} basis like this`;
      for (let r = 0; r < expansion.values; r++) {
        const shift = expansion.shifted ? { shift: plane + expansion.values } : {};
        terms.push({ row: row + r, plane: plane + r, ...shift });
      }
      if (expansion.shifted) margin = Math.max(margin, expansion.values - 1);
      made.push({ branch, expansion, plane });
      plane += expansion.values + (expansion.shifted ? 1 : 0);
      row += expansion.functions;
    }
    const from = (first!.from ?? 0) / area;
    const stride = channels === input.channels ? input.stride : roundUp(channels, LANES);
    parts.push({
      from,
      channels,
      branches: made,
      terms,
      planes: plane,
      rows: row,
      margin,
      stride,
      planeBytes: 4 * roundUp(input.positions * stride + LANES, LANES),
    });
  }
  return parts;
};

interface Packing {
  readonly area: number;
  readonly groups: number;
  readonly width: number;
  readonly passes: Passes;
  readonly scale: PerChannel;
}

/** Coefficients as [group][pass][tap][channel][function of any branch][output of the pass]. */
const packed = (part: Part, { area, groups, width, passes, scale }: Packing): Float32Array => {
  const row = passes.rowVectors * LANES;
  const perGroup = part.channels / groups;
  const rowsOfPass = perGroup * area * part.rows + 2 * part.margin;
  const result = new Float32Array(groups * passes.count * rowsOfPass * row);
  for (let pass = 0; pass < passes.count; pass++) {
    const [start, end] = passRange(passes, pass).map((v) => Math.min(width, v * LANES));
    let first = 0;
    for (const { branch, expansion } of part.branches) {
      const data = f32Data(branch.weights);
      for (let c = 0; c < part.channels; c++) {
        const group = Math.floor(c / perGroup);
        const before = (group * passes.count + pass) * rowsOfPass + part.margin;
        for (let tap = 0; tap < area; tap++) {
          const cell = before + (tap * perGroup + (c % perGroup)) * part.rows + first;
          for (let k = 0; k < expansion.functions; k++) {
            const to = (cell + k) * row;
            const from = ((c * area + tap) * expansion.functions + k) * width;
            for (let o = start!; o < end!; o++) {
              result[to + o - start!] = data[from + o]! * channel(scale, group * width + o);
            }
          }
        }
      }
      first += expansion.functions;
    }
  }
  return result;
};

const biasOf = ({ bias }: KanAttrs, { channels, stride }: Layout, tail: Tail): Float32Array =>
  Float32Array.from({ length: roundUp(stride, LANES) }, (_, o) =>
    o < channels ? (bias?.data[o] ?? 0) * channel(tail.scale ?? 1, o) + channel(tail.shift ?? 0, o) : 0,
  );
