/** `kanc explain`: a diagnostic code in more words. */
import * as E from 'fp-ts/lib/Either.js';
import { CATALOG, type Checked, fail, isDiagnosticCode, printable } from '../../diagnostics/index.js';
import { EXIT } from '../report.js';
import type { AddCommand } from '../settle.js';

const explain = (code: string | undefined): Checked<string> => {
  if (code === undefined) {
    return E.right(
      Object.entries(CATALOG)
        .map(([name, text]) => `${name}: ${text}\n`)
        .join(''),
    );
  }
  const upper = code.toUpperCase();
  return isDiagnosticCode(upper)
    ? E.right(`${upper}: ${CATALOG[upper]}\n`)
    : fail('K0801', `there is no code '${printable(code, 60)}'`, {
        expected: `a code such as ${Object.keys(CATALOG)[0]}`,
        hint: '`kanc explain` without a code lists all.',
      });
};

export const addExplain: AddCommand = (command, world, settle) => {
  command
    .argument('[code]', 'such as K0107; without it all codes are explained')
    .action(async (code: string | undefined) => {
      await settle(async () =>
        E.map((text: string) => {
          world.terminal.out(text);
          return EXIT.ok;
        })(explain(code)),
      );
    });
};
