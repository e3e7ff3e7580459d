/** What `kanc eval` prints for people. */
import type { Evaluation } from '../driver/evaluate.js';
import { showPercent } from './show.js';

const showShare = (share: number | null): string => (share === null ? 'none' : showPercent(share));

/** Ranges that hold the values of a program's inputs clip next to none of them. */
const SUSPICIOUS = 0.05;

export const showEvaluation = (e: Evaluation): string => {
  const scores = [
    ...(e.accuracy === undefined ? [] : [`accuracy ${showPercent(e.accuracy)}`]),
    ...(e.rmse === undefined ? [] : [`RMSE ${e.rmse.toPrecision(4)}`]),
  ];
  const lines = [
    `${scores.join(', ')} on ${e.samples} samples (${e.engine}, ${e.microsecondsPerInference.toPrecision(3)} us per inference)`,
    ...(e.note === undefined ? [] : [`note: ${e.note}`]),
  ];
  if (e.clipped !== undefined) {
    lines.push(
      `clipped to the calibrated range: inputs ${showShare(e.clipped.input)}, hidden values ${showShare(e.clipped.hidden)}`,
    );
    if ((e.clipped.input ?? 0) > SUSPICIOUS) {
      lines.push(
        'warning: that is much: the calibration data were not such inputs; calibrate with some of them, or check their units and normalisation',
      );
    }
  }
  return `${lines.join('\n')}\n`;
};
