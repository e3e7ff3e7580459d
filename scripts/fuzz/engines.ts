/** What compiled programs run on: this process, what a compiler made, a GPU, a simulator. */

import type { Emit } from '../../src/backends/backend.js';
import { c } from '../../src/backends/c/index.js';
import { hls } from '../../src/backends/hls/index.js';
import { verilog } from '../../src/backends/verilog/index.js';
import { wasm } from '../../src/backends/wasm/index.js';
import { wgsl } from '../../src/backends/wgsl/index.js';
import type { Capabilities } from '../../src/driver/capabilities.js';
import { nodeCapabilities } from '../../src/driver/node/index.js';

export type World = Pick<Capabilities, 'gpu' | 'tools'>;

export const ENGINES = {
  wasm: wasm.emit({}, { version: 'fuzz' }),
  c: c.emit({ name: 'net' }, { version: 'fuzz' }),
  wgsl: wgsl.emit({}, { version: 'fuzz' }),
  hls: hls.emit({ name: 'net' }, { version: 'fuzz' }),
  verilog: verilog.emit({ name: 'net', vectors: 8 }, { version: 'fuzz' }),
} as const satisfies Record<string, Emit>;

export type EngineName = keyof typeof ENGINES;

export const isEngine = (name: string): name is EngineName => Object.hasOwn(ENGINES, name);

export const nodeWorld = (): World => nodeCapabilities();
