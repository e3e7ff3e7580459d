/** The same program on WebGPU, where the browser has an adapter. */
import * as E from 'fp-ts/lib/Either.js';
import { showDiagnostic } from '../../../src/diagnostics/index.js';
import type { Compilation } from '../../../src/driver/compile.js';
import type { Tensor } from '../../../src/ir/tensor.js';
import { sizeOf } from '../../../src/ir/types.js';
import type { GpuResult } from '../shared/protocol.js';
import { loadArtifact } from '../shared/run-artifact.js';
import { arrayOf, timeCalls } from './measure.js';

const BATCH = 256;

/** `sample`: what is run, again and again for a batch. */
export const measureGpu = async (compilation: Compilation, sample: Tensor): Promise<GpuResult> => {
  if (!('gpu' in navigator)) return { _tag: 'absent', reason: 'not in this browser' };
  const emitted = await compilation.emitFor('wgsl')();
  if (E.isLeft(emitted)) {
    return { _tag: 'absent', reason: emitted.left.map(showDiagnostic).join('\n') };
  }
  try {
    const model = await loadArtifact(Object.fromEntries(emitted.right.files));
    const features = sizeOf(sample.type);
    const one = arrayOf(sample).slice(0, features);
    const many =
      sample.type.element.kind === 'f32'
        ? new Float32Array(BATCH * features)
        : new Uint8Array(BATCH * features);
    for (let k = 0; k < BATCH; k++) many.set(one, k * features);
    const single = await timeCalls(() => model.predict(one, 1));
    const batch = (await timeCalls(() => model.predict(many, BATCH))) / BATCH;
    model.destroy?.();
    return { _tag: 'measured', single, batch };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
    return { _tag: 'absent', reason: code === 'no-adapter' ? 'no graphics adapter here' : message };
  }
};
