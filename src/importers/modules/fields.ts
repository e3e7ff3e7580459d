/** Attributes of modules as numbers and sizes. */

import type { Extent } from '../arch/layers.js';
import type { ModuleFacts, PlainValue } from '../containers/modules.js';

export const field = ({ attributes }: ModuleFacts, name: string): PlainValue | undefined =>
  attributes.get(name);

export const numberAt = (facts: ModuleFacts, name: string): number | undefined => {
  const value = field(facts, name);
  return typeof value === 'number' ? value : undefined;
};

/** Height and width, of which a module has one number or two. */
export const extentAt = (facts: ModuleFacts, name: string): Extent | undefined => {
  const value = field(facts, name);
  if (typeof value === 'number') return value;
  if (!Array.isArray(value)) return undefined;
  const numbers = value.filter((v): v is number => typeof v === 'number');
  const [a, b, ...more] = numbers;
  if (a === undefined || numbers.length !== value.length || more.length > 0) return undefined;
  return b === undefined || a === b ? a : [a, b];
};

/** The attributes of these names that the module has, as fields of a layer. */
export const extentsAt = <K extends string>(
  facts: ModuleFacts,
  names: ReadonlyArray<K>,
): Partial<Record<K, Extent>> => {
  const found: Partial<Record<K, Extent>> = {};
  for (const name of names) {
    const extent = extentAt(facts, name);
    if (extent !== undefined) found[name] = extent;
  }
  return found;
};
