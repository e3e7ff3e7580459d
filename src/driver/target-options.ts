/** `--target-options`: what a target takes of its own. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, printable } from '../diagnostics/index.js';

/** By name, as they were typed; the codec of the target reads them. */
export type TargetOptions = Readonly<Record<string, string | boolean>>;

/** Reads `pipeline=2,name=net`; the target says which names and values there are. */
export const parseTargetOptions = (text: string): Checked<TargetOptions> => {
  const options: Record<string, string> = {};
  for (const part of text.split(',')) {
    const at = part.indexOf('=');
    const name = part.slice(0, Math.max(0, at)).trim();
    const value = part.slice(at + 1).trim();
    if (!/^[A-Za-z][A-Za-z0-9-]*$/.test(name) || value === '' || Object.hasOwn(options, name)) {
      return fail('K0801', `'${printable(part, 60)}' is not of the form name=value, or is given twice`, {
        place: { option: '--target-options' },
        expected: 'options such as pipeline=2',
      });
    }
    options[name] = value;
  }
  return E.right(options);
};
