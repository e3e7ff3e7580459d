/** onnxruntime-web on the ONNX export of a checkpoint: WebAssembly, one thread. */
import { readFile } from 'node:fs/promises';
import * as ort from 'onnxruntime-web';
import type { BenchModel } from '../models.js';
import type { Absent, Engine } from './engine.js';

export const onnxVersion = (): string => ort.env.versions.web ?? '';

export const onnxEngine = async ({ onnx }: Pick<BenchModel, 'onnx'>): Promise<Engine | Absent> => {
  if ('why' in onnx) return onnx;
  ort.env.wasm.numThreads = 1;
  const bytes = await readFile(onnx.file);
  const create = (): Promise<ort.InferenceSession> =>
    ort.InferenceSession.create(bytes, { executionProviders: ['wasm'] });
  const session = await create();
  const output = session.outputNames[0] ?? '';
  return {
    bytes: bytes.length,
    load: async () => (await create()).release(),
    prepare: async ({ floats, features }, batch) => {
      const feeds = { [session.inputNames[0] ?? '']: new ort.Tensor('float32', floats, [batch, features]) };
      let last: ort.Tensor | undefined;
      const run = async (): Promise<void> => {
        last = (await session.run(feeds))[output];
      };
      await run();
      return {
        run,
        outputs: async () => {
          const data = last?.data;
          if (!(data instanceof Float32Array)) throw new Error('the ONNX output is not f32');
          return data;
        },
      };
    },
  };
};
