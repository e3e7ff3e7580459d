/** The targets that kanc can compile for. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, printable } from '../diagnostics/index.js';
import { type Target, toTarget } from './backend.js';
import { c } from './c/index.js';
import { hls } from './hls/index.js';
import { verilog } from './verilog/index.js';
import { wasm } from './wasm/index.js';
import { wgsl } from './wgsl/index.js';

export * from './backend.js';
export { type COptions, c } from './c/index.js';
export { type HlsOptions, hls } from './hls/index.js';
export { type VerilogOptions, verilog } from './verilog/index.js';
export * from './wasm/index.js';
export * from './wgsl/index.js';

export const TARGETS: ReadonlyArray<Target> = [
  toTarget(wasm),
  toTarget(wgsl),
  toTarget(c),
  toTarget(hls),
  toTarget(verilog),
];

/** The target of a name; K0601 tells which there are. */
export const findTarget = (name: string): Checked<Target> => {
  const target = TARGETS.find((t) => t.name === name);
  return target === undefined
    ? fail('K0601', `there is no target '${printable(name, 60)}'`, {
        expected: `one of ${TARGETS.map((t) => t.name).join(', ')}`,
      })
    : E.right(target);
};
