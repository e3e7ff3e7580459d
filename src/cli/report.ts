/** Exit codes, and diagnostics as text. */
import { type Diagnostics, showDiagnostic } from '../diagnostics/index.js';

export const EXIT = { ok: 0, diagnosed: 1, usage: 2, bug: 3 } as const;

/**
 * K08xx are about the command line itself, and so is what points to one of its options; but not K09xx, which tell what
 * was measured, and name the option that asked for it.
 */
export const exitCodeOf = ([{ code, place }]: Diagnostics): number =>
  code.startsWith('K08') || (place.option !== undefined && !code.startsWith('K09'))
    ? EXIT.usage
    : EXIT.diagnosed;

/** Most diagnostics that are shown: the first ones explain the rest. */
const SHOWN = 5;

export const showAll = (diagnostics: Diagnostics): string => {
  const lines = diagnostics.slice(0, SHOWN).map(showDiagnostic);
  const more = diagnostics.length - lines.length;
  return `${[...lines, ...(more > 0 ? [`and ${more} more errors`] : [])].join('\n')}\n`;
};
