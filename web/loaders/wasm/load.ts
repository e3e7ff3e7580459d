import { check, features, type Input, isFloat, meta } from '../shared/input.js';
import { memory, ownModule } from './head.js';
import { moduleOf, type Source } from './module.js';
import { type Exports, type Results, runnerOf, type Shape } from './runner.js';

export const shape: Shape = {
  memory,
  features,
  floatInput: isFloat,
  floatOutput: meta.output.dtype === 'f32',
};

/** Loads the model. `wasm`: bytes, URL, path (Node), Response or WebAssembly.Module; default: the file beside this one. */
export const load = async ({ wasm = ownModule() }: { wasm?: Source } = {}) => {
  const instance = await WebAssembly.instantiate(await moduleOf(wasm));
  // The module is that of this build, as its export tells.
  const runner = runnerOf(instance.exports as unknown as Exports, shape);
  return {
    meta,
    predict: (input: Input, batch?: number): Results => runner.all(false, input, check(input, batch)),
    predictRaw: (input: Input, batch?: number): Results => runner.all(true, input, check(input, batch)),
  };
};
