/**
 * Marks the files of a program as those of one build: a header defines a macro, and every file that relies on it does not compile
 * with another. Texts are written with a word in place of the number, which follows from all of them.
 */
import { buildId } from '../shared/build-id.js';
import type { Code } from './code.js';

/** What stands in texts for the number of the build: no name and no comment of a program can have it. */
export const BUILD = '@build@';

/** In the file that others rely on. */
export const buildDefinition = (macro: string): Code => [
  '/* Of all that was compiled here: other files must be of the same build. */',
  `#define ${macro} ${BUILD}`,
];

/** In a file that relies on it. `what`: the files that do not belong together, and what to do. */
export const buildCheck = (macro: string, what: string): Code => [
  `#if !defined(${macro}) || ${macro} != ${BUILD}`,
  `#error "${what} are of different builds: take all files of one compilation by kanc"`,
  '#endif',
];

/** The first line of a file tells the version of kanc, which makes no difference. */
const withoutFirstLine = (text: string): string => text.slice(text.indexOf('\n'));

/** The texts with their number: 32 bits, which every preprocessor takes. */
export const withBuild = (texts: ReadonlyMap<string, string>): ReadonlyMap<string, string> => {
  const number = `0x${buildId(...[...texts.values()].map(withoutFirstLine)).slice(0, 8)}u`;
  return new Map([...texts].map(([name, text]) => [name, text.replaceAll(BUILD, number)]));
};
