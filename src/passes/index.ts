/** The pass API and the built-in passes: what user passes are written against. */
export { calibrate } from './calibrate.js';
export * from './dataset.js';
export { dce } from './dce.js';
export { dedupe } from './dedupe.js';
export { fold } from './fold.js';
export { input } from './input.js';
export { narrow } from './narrow.js';
export * from './options.js';
export * from './pass.js';
export * from './pipeline.js';
export * from './pipeline-text.js';
export { prune } from './prune.js';
export { quantize } from './quantize.js';
export * from './registry.js';
export { tabulate } from './tabulate/index.js';
