/** What `kanc compile` says of how far the program is from its network, and what would bring it nearer. */
import * as E from 'fp-ts/lib/Either.js';
import { isLarge } from '../../../analyses/divergence.js';
import { finerBits } from '../../../analyses/finer-bits.js';
import type { Compilation } from '../../../driver/compile.js';
import { parsePipeline } from '../../../passes/pipeline-text.js';
import type { LayoutFlag } from '../../flags/index.js';
import { showPercent } from '../../show.js';

type Made = Pick<Compilation, 'divergence' | 'graph' | 'pipeline' | 'remarks'>;

/** What the program itself takes, where files of data are read in another order. */
export const layoutLines = (
  { inputLayout }: LayoutFlag,
  { graph }: Pick<Made, 'graph'>,
): ReadonlyArray<string> => {
  const shape = graph.inputs[0]?.type.shape ?? [];
  return inputLayout === 'nhwc'
    ? [
        `channels of the data were moved to the front: the program itself takes [samples, ${shape.join(', ')}]`,
      ]
    : [];
};

/** Bits are advised only where the program has fewer. */
const bitHint = (
  { passes }: { readonly passes?: string },
  { graph, pipeline }: Made,
  outputs: 'values' | 'classes',
): string => {
  const calls = parsePipeline(pipeline);
  const quantize = E.isLeft(calls) ? undefined : calls.right.find(({ name }) => name === 'quantize')?.options;
  const finer = quantize === undefined ? undefined : finerBits(graph, quantize, outputs);
  if (finer === undefined) {
    return 'hint: more bits will hardly help; check that the calibration data are what the program will get';
  }
  const text = Object.entries(finer)
    .map(([knob, bits]) => `${knob}=${bits}`)
    .join(',');
  return `hint: more bits help: ${passes === undefined ? `--quant ${text}` : `quantize{${text}} in the pipeline`}`;
};

const hintFor = (flags: { readonly passes?: string }, made: Made): string => {
  // Bits do not help where ranges are made for other values than the program will get.
  if (made.remarks.some((r) => r.pass === 'calibrate' && r.severity === 'warning')) {
    return 'hint: the warnings about the calibration data tell a likely cause';
  }
  return bitHint(flags, made, made.divergence?.argmaxAgreement === undefined ? 'values' : 'classes');
};

/** The difference on the calibration data and, with `hints`, what to do where it is large. */
export const qualityLines = (
  flags: { readonly passes?: string },
  made: Made,
  hints: boolean,
): ReadonlyArray<string> => {
  const { divergence } = made;
  if (divergence === undefined) return [];
  const { argmaxAgreement: same, relativeRms, samples } = divergence;
  const classes = same === undefined ? '' : `, the largest output is the same for ${showPercent(same)}`;
  const line = `outputs differ from the float network by ${showPercent(relativeRms)} (RMS)${classes}, on ${samples} samples`;
  return hints && isLarge(divergence) ? [line, hintFor(flags, made)] : [line];
};
