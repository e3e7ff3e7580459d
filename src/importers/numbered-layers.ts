/** Networks whose tensors are named `<prefix>layers.<number>.<part>`. */
import type { TensorFile } from './containers/tensor.js';

export interface NumberedLayers {
  /** What stands before `layers.` in the names. */
  readonly prefix: string;
  /** One more than the highest number of any tensor. */
  readonly count: number;
}

/** The networks of a file, in file order. The pattern's first two groups are the prefix and the number. */
export const numberedLayers = (file: TensorFile, pattern: RegExp): ReadonlyArray<NumberedLayers> => {
  const found = new Map<string, number>();
  for (const name of file.tensors.keys()) {
    const match = pattern.exec(name);
    if (match === null) continue;
    const prefix = match[1] ?? '';
    found.set(prefix, Math.max(found.get(prefix) ?? 0, Number(match[2]) + 1));
  }
  return [...found].map(([prefix, count]) => ({ prefix, count }));
};
