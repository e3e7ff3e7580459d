/** Options that an importer did not ask for: whoever wrote one believes that it changes the network. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../diagnostics/index.js';
import { flagOf, type ImportOptions, type ReadingOption, readingOptions } from './family.js';

/** The options of ImportOptions that a kind of network may have no use for, by how they are typed. */
const unheeded = (...by: ReadonlyArray<ReadingOption['unheededBy']>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readingOptions().flatMap(([key, option]) =>
      option.unheededBy !== undefined && by.includes(option.unheededBy) ? [[key, flagOf(key)]] : [],
    ),
  );

const OF_TENSORS = unheeded('tensors', 'both');

/** A format of its own has no named tensors, so that what is said about them has no effect either. */
const OF_DOCUMENTS = unheeded('tensors', 'documents', 'both');

/** The options, and those of them that were given and that nobody has read yet. */
const recording = (
  options: ImportOptions,
  flags: Readonly<Record<string, string>>,
): { readonly options: ImportOptions; readonly unread: ReadonlySet<string> } => {
  const unread = new Set<string>();
  const recorded: ImportOptions = { ...options };
  for (const [key, value] of Object.entries(options)) {
    if (!Object.hasOwn(flags, key) || value === undefined) continue;
    unread.add(key);
    const get = () => {
      unread.delete(key);
      return value;
    };
    Object.defineProperty(recorded, key, { enumerable: true, get });
  }
  return { options: recorded, unread };
};

/**
 * Fails with K0206 on options that `read` did not ask for. Importers ask for an option where it matters, and
 * nowhere else: for the activation of a base branch only where there is one.
 */
export const heedingAll = <A>(
  options: ImportOptions,
  { name, kind }: { readonly name: string; readonly kind: 'tensors' | 'document' },
  read: (options: ImportOptions) => Checked<A>,
): Checked<A> => {
  const flags = kind === 'tensors' ? OF_TENSORS : OF_DOCUMENTS;
  const recorded = recording(options, flags);
  const result = read(recorded.options);
  if (E.isLeft(result)) return result;
  const [key] = recorded.unread;
  return key === undefined
    ? result
    : fail('K0206', `the option has no effect on this network (family ${name})`, {
        place: { option: flags[key] ?? key },
        expected: 'options about what the network has and the checkpoint does not say',
        hint: 'kanc import --describe lists what was assumed, with the option that says otherwise.',
      });
};

/** The fields of a layer in an architecture file, by the options that say the same for all layers. */
const FIELDS = {
  baseActivation: 'baseActivation',
  rbf: 'rbf',
  rbfWidth: 'rbfWidth',
  squash: 'squash',
  normEpsilon: 'epsilon',
} as const satisfies Partial<Record<keyof ImportOptions, string>>;

/** The options of one layer, and the fields of it that were given and that nobody has read yet. */
export interface LayerOptions {
  readonly options: ImportOptions;
  readonly unread: ReadonlySet<string>;
}

/** The options as one layer has them: its own fields first. What a field says is not asked of the options. */
export const optionsOfLayer = (layer: object, options: ImportOptions): LayerOptions => {
  const fields = new Map<string, unknown>(Object.entries(layer));
  const unread = new Set<string>(Object.values(FIELDS).filter((field) => fields.get(field) !== undefined));
  const own: ImportOptions = {};
  for (const [key, field] of Object.entries(FIELDS)) {
    const get = (): unknown => {
      unread.delete(field);
      return fields.get(field) ?? Reflect.get(options, key);
    };
    Object.defineProperty(own, key, { enumerable: true, get });
  }
  return { options: own, unread };
};
