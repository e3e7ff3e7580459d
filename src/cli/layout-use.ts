/** Whether `--input-layout` says something: only files of data have an order. Apart from the flags, so that help loads no passes. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../diagnostics/index.js';
import { parsePipeline } from '../passes/pipeline-text.js';
import type { LayoutFlag } from './flags.js';

/** A pipeline that does not parse is told of elsewhere. */
const namesData = (passes: string | undefined): boolean => {
  if (passes === undefined) return false;
  const calls = parsePipeline(passes);
  return E.isLeft(calls) || calls.right.some(({ options }) => (options['data'] ?? '') !== '');
};

/** `files`: of data, as they were given. Fails with K0801 where another order is asked for and nothing is read in it. */
export const checkLayoutUsed = (
  { inputLayout, passes }: LayoutFlag & { readonly passes?: string },
  files: ReadonlyArray<string | undefined>,
): Checked<void> =>
  inputLayout === 'nhwc' && !namesData(passes) && files.every((file) => file === undefined)
    ? fail('K0801', 'no file of data is read whose axes could be in that order', {
        place: { option: '--input-layout' },
        expected: 'data, such as those of --calib',
        hint: 'Programs take [samples, channels, height, width] whatever the data had: leave the option out.',
      })
    : E.right(undefined);
