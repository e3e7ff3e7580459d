/** What compiled programs run on: this process, a C compiler, a GPU where there is one. */

import type { Emit } from '../../src/backends/backend.js';
import { c } from '../../src/backends/c/index.js';
import { wasm } from '../../src/backends/wasm/index.js';
import { wgsl } from '../../src/backends/wgsl/index.js';
import type { Capabilities } from '../../src/driver/capabilities.js';
import { nodeCapabilities } from '../../src/driver/node.js';

export type World = Pick<Capabilities, 'gpu' | 'tools'>;

export const ENGINES = {
  wasm: wasm.emit({}, { version: 'fuzz' }),
  c: c.emit({ name: 'net' }, { version: 'fuzz' }),
  wgsl: wgsl.emit({}, { version: 'fuzz' }),
} as const satisfies Record<string, Emit>;

export type EngineName = keyof typeof ENGINES;

export const isEngine = (name: string): name is EngineName => Object.hasOwn(ENGINES, name);

export const nodeWorld = (): World => nodeCapabilities();
