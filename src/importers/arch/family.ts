/** Networks that an architecture file describes, as one more family. */
import * as E from 'fp-ts/lib/Either.js';
import { fail } from '../../diagnostics/index.js';
import type { Assumption, Family, Reading } from '../family.js';
import { parseArchitecture } from './architecture.js';
import { buildArchitecture } from './build.js';
import { HOW_TO_CHECK } from './draft/notes.js';

const UNTRIED: Assumption = {
  what: 'the architecture file is a draft, of which nothing was tried',
  assumed: 'what its list "assumed" tells',
  option:
    'draft with --check, or edit the file and take the list out of it once the outputs are those of the library',
};

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
    if (E.isLeft(arch)) return arch;
    const untried = arch.right.assumed?.includes(HOW_TO_CHECK) === true ? [UNTRIED] : [];
    return E.map((read: Reading) => ({ ...read, assumptions: [...untried, ...read.assumptions] }))(
      buildArchitecture(arch.right, file, options),
    );
  },
};
