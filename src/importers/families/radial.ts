/** Radial bases as FastKAN and FasterKAN store them: `<prefix>rbf.grid` [M], and nothing or little of the rest. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, printable } from '../../diagnostics/index.js';
import { isRadialKernel, RADIAL_KERNELS, type RadialBasis, type RadialKernel } from '../../ir/basis.js';
import { constant } from '../../ir/constant.js';
import { F32 } from '../../ir/element.js';
import type { TensorFile } from '../containers/tensor.js';
import type { Assumption, ImportOptions } from '../family.js';
import { finiteTensor } from '../tensors.js';

/** The default of FasterKAN's first versions, in which the width was a number of the module and not a tensor. */
const SWITCH_WIDTH = 0.33;

export interface RadialReading {
  readonly basis: RadialBasis;
  readonly assumptions: ReadonlyArray<Assumption>;
}

export interface RadialSpec {
  /** What stands before `rbf.`, with its dot. */
  readonly prefix: string;
  /** The kernel of the family, and whether other libraries have layers of the same tensors. */
  readonly usual: RadialKernel;
  readonly certain: boolean;
  /** How many centers there must be, where that is known. */
  readonly count?: number;
}

const kernelOf = (
  { rbf }: Pick<ImportOptions, 'rbf'>,
  { usual }: RadialSpec,
  stored: boolean,
): Checked<RadialKernel> => {
  const kernel = rbf ?? (stored ? 'reflectional-switch' : usual);
  if (!isRadialKernel(kernel)) {
    return fail('K0206', `there is no radial basis '${printable(kernel, 60)}'`, {
      place: { option: '--rbf' },
      expected: `one of ${RADIAL_KERNELS.join(', ')}`,
    });
  }
  return stored && kernel === 'gaussian'
    ? fail('K0206', 'the layers have rbf.inv_denominator, which Gaussians do not', {
        place: { option: '--rbf' },
        expected: 'reflectional-switch, or nothing',
      })
    : E.right(kernel);
};

/** Where the option does not say the width: that of the library, and how it is told. */
const usualWidth = (
  kernel: RadialKernel,
  centers: ArrayLike<number>,
  inverse: number | undefined,
): { readonly width: number; readonly told: Assumption } => {
  if (kernel === 'gaussian') {
    const last = centers.length - 1;
    const width = (centers[last]! - centers[0]!) / last;
    const assumed = 'the distance of their centers';
    return {
      width,
      told: { what: 'the width of the Gaussians is not stored', assumed, option: '--rbf-width' },
    };
  }
  if (inverse === undefined) {
    const what = 'the width of the reflectional switches is not stored';
    return { width: SWITCH_WIDTH, told: { what, assumed: `${SWITCH_WIDTH}`, option: '--rbf-width' } };
  }
  const used = Number((1 / Math.abs(inverse)).toPrecision(6));
  return {
    width: 1,
    told: {
      what: 'rbf.inv_denominator is stored, but the code of FasterKAN does not compute with it; some copies do',
      assumed: 'not used, which is the width 1',
      ...(inverse === 0 ? {} : { option: `--rbf-width ${used}` }),
    },
  };
};

/**
 * The basis under a prefix. What the tensors do not say is taken from the options, else from the library, and told.
 * K0202 to K0204 as `finiteTensor`, K0206 on options that cannot be.
 */
export const readRadial = (
  file: TensorFile,
  options: Pick<ImportOptions, 'rbf' | 'rbfWidth'>,
  spec: RadialSpec,
): Checked<RadialReading> => {
  const grid = finiteTensor(file, `${spec.prefix}rbf.grid`, 1, [spec.count]);
  if (E.isLeft(grid)) return grid;
  const name = `${spec.prefix}rbf.inv_denominator`;
  // One number, whatever its rank is.
  const rank = file.tensors.get(name)?.shape.length;
  const inverse =
    rank === undefined ? E.right(undefined) : finiteTensor(file, name, rank, Array(rank).fill(1));
  if (E.isLeft(inverse)) return inverse;
  const kernel = kernelOf(options, spec, inverse.right !== undefined);
  if (E.isLeft(kernel)) return kernel;
  const centers = Float32Array.from(grid.right.data);
  const { width, told } = usualWidth(kernel.right, centers, inverse.right?.data[0]);
  const given = options.rbfWidth;
  if (given !== undefined && !(given > 0 && Number.isFinite(given))) {
    return fail('K0206', `the width is ${given}`, {
      place: { option: '--rbf-width' },
      expected: 'a positive number',
    });
  }
  if (given === undefined && !(width > 0)) {
    return fail('K0203', `${centers.length} centers from ${centers[0]} to ${centers.at(-1)}`, {
      place: { tensor: `${spec.prefix}rbf.grid` },
      expected: 'at least two centers that ascend: their distance is the width of the Gaussians',
      hint: '--rbf-width says another width.',
    });
  }
  const known = spec.certain || options.rbf !== undefined || inverse.right !== undefined;
  return E.right({
    basis: {
      _tag: 'rbf',
      centers: constant(F32, [centers.length], centers),
      width: given ?? width,
      ...(kernel.right === 'gaussian' ? {} : { kernel: kernel.right }),
    },
    assumptions: [...(known ? [] : [unknownKernel(kernel.right)]), ...(given === undefined ? [told] : [])],
  });
};

const unknownKernel = (assumed: RadialKernel): Assumption => {
  const other = RADIAL_KERNELS.find((kernel) => kernel !== assumed) ?? assumed;
  return {
    what: 'FastKAN without its base branch and FasterKAN store the same tensors for different functions',
    assumed: `${assumed} functions`,
    option: `--rbf ${other}`,
  };
};
