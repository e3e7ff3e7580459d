/** The options of an import, with the architecture file that they name. */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Diagnostics } from '../diagnostics/index.js';
import type { Capabilities } from '../driver/capabilities.js';
import type { ImportOptions } from '../importers/family.js';
import { type ImportFlags, importOptions } from './flags.js';

export const readImportOptions =
  ({ files }: Pick<Capabilities, 'files'>) =>
  (flags: ImportFlags): TE.TaskEither<Diagnostics, ImportOptions> => {
    const { arch } = flags;
    return arch === undefined
      ? TE.right(importOptions(flags))
      : pipe(
          files.read(arch),
          TE.map((bytes) => ({
            ...importOptions(flags),
            architecture: { text: new TextDecoder().decode(bytes), file: arch },
          })),
        );
  };
