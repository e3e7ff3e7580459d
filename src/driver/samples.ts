/** Data for a model, of whatever kind its input is. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../diagnostics/index.js';
import { allocate, showElement } from '../ir/element.js';
import type { Tensor } from '../ir/tensor.js';
import { levelsOf, type ValueType } from '../ir/types.js';
import { type Dataset, toTensor } from '../passes/dataset.js';

/**
 * The first `limit` samples as a tensor of `type`. Codes come as integers of any width, and must be codes that there
 * are: no table has a row for others (K0701).
 */
export const samplesFor = (dataset: Dataset, type: ValueType, limit?: number): Checked<Tensor> => {
  const { dtype, data, shape } = dataset.array;
  if (type.element.kind !== 'uint' || dtype.startsWith('f')) return toTensor(dataset, type, limit);
  const levels = levelsOf(type);
  const codes = new Uint8Array(0);
  const fitting = toTensor({ ...dataset, array: { shape, dtype: 'u1', data: codes } }, type, limit);
  if (E.isLeft(fitting)) return fitting;
  const { batch } = fitting.right;
  const features = data.length / shape[0]!;
  const length = features * batch;
  const converted = allocate(type.element, length);
  for (let j = 0; j < length; j++) {
    const code = data[j]!;
    if (!(code >= 0 && code < levels)) {
      const where = `element ${j % features} of sample ${Math.floor(j / features)}`;
      return fail('K0701', `${where} is ${code}, which is no code of the input`, {
        place: { file: dataset.path },
        expected: `integers from 0 to ${levels - 1}, for an input of type ${showElement(type.element)}`,
      });
    }
    converted[j] = code;
  }
  return E.right({ type, batch, data: converted });
};
