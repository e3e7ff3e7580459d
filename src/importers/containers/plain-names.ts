/** Names of tensors without what wrappers around modules put into them. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, printable } from '../../diagnostics/index.js';
import { WRAPPERS } from './modules.js';

/** A counter that averaged models (EMA, SWA) keep beside their `module.` names. */
const COUNTER = 'n_averaged';

/** Modules do not nest deeper; a name of the length of the file must not cost its square. */
const DEPTH = 64;

/** The part of a name up to a segment, as a key. */
const parentOf = (segments: ReadonlyArray<string>, k: number): string => segments.slice(0, k).join('.');

/** Whether the segment is the name of a module `module`, and not of a tensor. */
const isModule = (segments: ReadonlyArray<string>, k: number): boolean =>
  segments[k] === 'module' && k < segments.length - 1 && k < DEPTH;

/**
 * The modules whose only child is `module`: DataParallel, averaged models, and whatever else is a shell around one
 * module. Where it has other children, `module` is a module of the network.
 */
const shellsOf = (names: ReadonlyArray<ReadonlyArray<string>>): ReadonlySet<string> => {
  const shells = new Set<string>();
  const others = new Set<string>();
  for (const segments of names) {
    for (const k of segments.keys()) if (isModule(segments, k)) shells.add(parentOf(segments, k));
  }
  if (shells.size === 0) return shells;
  for (const segments of names) {
    for (let k = 0; k < Math.min(segments.length, DEPTH); k++) {
      const counter = segments[k] === COUNTER && k === segments.length - 1;
      if (!counter && !isModule(segments, k)) others.add(parentOf(segments, k));
    }
  }
  return new Set([...shells].filter((shell) => !others.has(shell)));
};

/** The last segment is the tensor itself. */
const withoutWrappers = (name: string): ReadonlyArray<string> => {
  const segments = name.split('.');
  return segments.filter((segment, k) => k === segments.length - 1 || !WRAPPERS.has(segment));
};

/** A beginning of names as users write it, without the wrappers in it. */
export const plainPrefix = (prefix: string): string =>
  prefix
    .split('.')
    .filter((segment) => !WRAPPERS.has(segment))
    .join('.');

/**
 * Plain names by those of the file: without the segments `_orig_mod`, `_fsdp_wrapped_module` and
 * `_checkpoint_wrapped_module` wherever they stand, and without `module` where it is the only child of its parent.
 * Fails with K0116 where two of them would become the same.
 */
export const plainNames = (names: ReadonlyArray<string>): Checked<ReadonlyMap<string, string>> => {
  const split = names.map(withoutWrappers);
  const shells = shellsOf(split);
  const plain = new Map<string, string>();
  const from = new Map<string, string>();
  for (const [n, segments] of split.entries()) {
    const original = names[n] ?? '';
    const name = segments
      .filter((_, k) => !(isModule(segments, k) && shells.has(parentOf(segments, k))))
      .join('.');
    const before = from.get(name);
    if (before !== undefined) {
      return fail(
        'K0116',
        `the tensors ${printable(before, 80)} and ${printable(original, 80)} are both named ${printable(name, 80)} without the names of wrappers (DataParallel, FSDP, torch.compile)`,
        {
          expected: 'one tensor of each name',
          hint: 'Save the module inside of the wrapper: torch.save(model.module.state_dict(), path), or model._orig_mod.',
        },
      );
    }
    from.set(name, original);
    plain.set(original, name);
  }
  return E.right(plain);
};
