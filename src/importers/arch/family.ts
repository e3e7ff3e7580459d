/** Networks that an architecture file describes, as one more family. */
import * as E from 'fp-ts/lib/Either.js';
import { fail } from '../../diagnostics/index.js';
import type { Family } from '../family.js';
import { parseArchitecture } from './architecture.js';
import { buildArchitecture } from './build.js';

export const described: Family = {
  name: 'architecture',
  recognises: () => false,
  read: (file, options) => {
    if (options.architecture === undefined) {
      return fail('K0206', 'the family architecture needs an architecture file', {
        place: { option: '--arch' },
        expected: 'the path of a file as docs/architecture-files.md describes it',
      });
    }
    if (options.family !== undefined && options.family !== 'architecture') {
      return fail('K0206', `both the family '${options.family}' and an architecture file are given`, {
        place: { option: '--family' },
        expected: 'one of them',
      });
    }
    const arch = parseArchitecture(options.architecture.text, options.architecture.file);
    return E.isLeft(arch) ? arch : buildArchitecture(arch.right, file, options);
  },
};
