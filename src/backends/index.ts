/** The targets that kanc can compile for. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, printable } from '../diagnostics/index.js';
import { type Target, toTarget } from './backend.js';
import { c } from './c/index.js';
import { wasm } from './wasm/index.js';

export * from './backend.js';
export { type COptions, c } from './c/index.js';
export * from './wasm/index.js';

export const TARGETS: ReadonlyArray<Target> = [toTarget(wasm), toTarget(c)];

/** The target of a name; K0601 tells which there are. */
export const findTarget = (name: string): Checked<Target> => {
  const target = TARGETS.find((t) => t.name === name);
  return target === undefined
    ? fail('K0601', `there is no target '${printable(name, 60)}'`, {
        expected: `one of ${TARGETS.map((t) => t.name).join(', ')}`,
      })
    : E.right(target);
};
