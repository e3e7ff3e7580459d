/** Artifacts as zip files: the same bytes for the same program, so without dates. */

import { type Zippable, zipSync } from 'fflate';
import * as E from 'fp-ts/lib/Either.js';
import type { Artifact } from '../../../src/backends/index.js';
import type { Checked } from '../../../src/diagnostics/index.js';
import type { Compilation } from '../../../src/driver/compile.js';

/** The first day that a zip file can tell. */
const NO_DATE = '1980-01-01T00:00:00';

const zippable = ({ files }: Artifact, folder: string): ReadonlyArray<readonly [string, Uint8Array]> =>
  [...files].map(([name, content]) => [
    `${folder}/${name}`,
    typeof content === 'string' ? new TextEncoder().encode(content) : content,
  ]);

/** A zip file with a folder for each target. Left: a target that cannot express the network. */
export const packTargets = async (
  compilation: Compilation,
  targets: ReadonlyArray<string>,
): Promise<Checked<Uint8Array<ArrayBuffer>>> => {
  const entries: (readonly [string, Uint8Array])[] = [];
  for (const target of targets) {
    const emitted = await compilation.emitFor(target)();
    if (E.isLeft(emitted)) return emitted;
    entries.push(...zippable(emitted.right, target));
  }
  const files: Zippable = Object.fromEntries(entries);
  return E.right(Uint8Array.from(zipSync(files, { mtime: new Date(NO_DATE), level: 6 })));
};
