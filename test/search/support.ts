/** Small studies for searches and sweeps. */
import { readFileSync } from 'node:fs';
import { compilePipeline } from '../../src/driver/compile-options.js';
import { importSource, type NpyArray, readNpy, sourceOf } from '../../src/importers/index.js';
import type { Graph } from '../../src/ir/index.js';
import { BUILTIN_PASSES, parsePipeline } from '../../src/passes/index.js';
import { prepareStudy, type Study } from '../../src/search/study.js';
import { data, model } from '../cli/support.js';
import { rightOf } from '../support/checked.js';

export const array = (path: string): NpyArray => rightOf(readNpy(new Uint8Array(readFileSync(path))));

export const network = (name: string): Graph => {
  const path = model(name);
  return rightOf(importSource(sourceOf(new Uint8Array(readFileSync(path)), path), {})).graph;
};

/** A study of a model on the calibration data of a set, with the labels of `labels` where given. */
export const studyOf = (name: string, inputs: NpyArray, labels?: NpyArray): Study =>
  rightOf(
    prepareStudy({
      graph: network(name),
      calls: rightOf(parsePipeline(rightOf(compilePipeline({ calib: 'x.npy' })))),
      passes: BUILTIN_PASSES,
      data: { path: 'x.npy', array: inputs },
      ...(labels === undefined ? {} : { labels: { path: 'y.npy', array: labels } }),
    }),
  );

export const digits = (): NpyArray => array(data('digits', 'calib_inputs.npy'));
