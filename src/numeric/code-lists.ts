/** Samples sorted by their code, for every input: sums over the samples of a code are then sums over a list. */
import type { CodedLayer, CodeSamples } from './coded-layer.js';

export interface CodeLists {
  readonly samples: number;
  /** [inputs, samples]: the samples of code 0, then those of code 1, and so on. */
  readonly order: Uint32Array;
  /** [inputs, levels + 1]: where in its row of `order` the list of every code starts. */
  readonly starts: Uint32Array;
  /** [inputs]: the code that most samples have. */
  readonly commonest: Uint16Array;
}

export const codeLists = (
  { inputs, levels }: CodedLayer,
  { samples, codes }: Pick<CodeSamples, 'samples' | 'codes'>,
): CodeLists => {
  const order = new Uint32Array(inputs * samples);
  const starts = new Uint32Array(inputs * (levels + 1));
  const commonest = new Uint16Array(inputs);
  const next = new Uint32Array(levels);
  for (let i = 0; i < inputs; i++) {
    const first = i * (levels + 1);
    for (let n = 0; n < samples; n++) starts[first + codes[n * inputs + i]! + 1]!++;
    let most = 0;
    for (let c = 0; c < levels; c++) {
      const count = starts[first + c + 1]!;
      if (count > most) [most, commonest[i]] = [count, c];
      starts[first + c + 1]! += starts[first + c]!;
      next[c] = starts[first + c]!;
    }
    for (let n = 0; n < samples; n++) order[i * samples + next[codes[n * inputs + i]!]!++] = n;
  }
  return { samples, order, starts, commonest };
};
