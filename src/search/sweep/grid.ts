/** `act=2..8,hidden=4,6,8,table=3,4,form=edge`: which configurations a sweep tries. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, printable } from '../../diagnostics/index.js';
import { type Configuration, canonical, EIGHT, type Form, type LayerShape } from '../configuration.js';
import { DEFAULT_GRID } from './default-grid.js';

const BITS = ['act', 'hidden', 'table', 'coef', 'basis'] as const;
type Bits = (typeof BITS)[number];

export interface Grid {
  readonly form: ReadonlyArray<Form>;
  readonly bits: Readonly<Partial<Record<Bits, ReadonlyArray<number>>>>;
}

/** Fewest bits that the passes take. */
const FEWEST: Readonly<Record<Bits, number>> = { act: 1, hidden: 1, table: 2, coef: 2, basis: 1 };
const MOST = 16;

const FORMS: ReadonlyArray<Form> = ['auto', 'edge', 'basis'];

const isBits = (name: string): name is Bits => BITS.some((b) => b === name);
const isForm = (name: string): name is Form => FORMS.some((f) => f === name);

const wrong = (found: string): Checked<never> =>
  fail('K0801', found, {
    place: { option: '--grid' },
    expected: `values such as ${DEFAULT_GRID}, with the names ${[...BITS, 'form'].join(', ')}`,
  });

/** `4` or `2..8`. */
const readRange = (name: Bits, text: string): Checked<ReadonlyArray<number>> => {
  const parts = /^(\d{1,2})(?:\.\.(\d{1,2}))?$/.exec(text);
  const [from, to] = [Number(parts?.[1]), Number(parts?.[2] ?? parts?.[1])];
  if (!(from >= FEWEST[name] && from <= to && to <= MOST)) {
    return wrong(
      `${name} cannot be '${printable(text, 60)}': bits go from ${FEWEST[name]} to ${MOST}, ranges upwards`,
    );
  }
  return E.right(Array.from({ length: to - from + 1 }, (_, k) => from + k));
};

/** Values behind a comma belong to the name before them. K0801 on what is no grid. */
export const parseGrid = (text: string): Checked<Grid> => {
  const form: Form[] = [];
  const bits = new Map<Bits, number[]>();
  const names = new Set<string>();
  let name = '';
  for (const part of text.split(',').map((s) => s.trim())) {
    const cut = part.indexOf('=');
    if (cut >= 0) {
      name = part.slice(0, cut).trim();
      if (names.has(name)) return wrong(`'${printable(name, 60)}' is given twice`);
      names.add(name);
    }
    const value = part.slice(cut + 1).trim();
    if (name === 'form') {
      if (!isForm(value)) return wrong(`there is no form '${printable(value, 60)}'`);
      form.push(value);
    } else if (isBits(name)) {
      const range = readRange(name, value);
      if (E.isLeft(range)) return range;
      bits.set(name, [...(bits.get(name) ?? []), ...range.right]);
    } else {
      return wrong(
        name === ''
          ? `'${printable(part, 60)}' has no name`
          : `there is nothing named '${printable(name, 60)}'`,
      );
    }
  }
  return E.right({ form: form.length === 0 ? ['edge'] : form, bits: Object.fromEntries(bits) });
};

/**
 * All combinations, each once: those that differ only in bits that nothing uses are one. Forms vary slowest, then the
 * names in the order act, hidden, table, coef, basis; `hidden` is as `act` where it is not given, other bits 8.
 */
export const gridConfigurations = (
  grid: Grid,
  layers: ReadonlyArray<LayerShape>,
): ReadonlyArray<Configuration> => {
  const all = grid.form.flatMap((form) =>
    BITS.reduce<ReadonlyArray<Configuration>>(
      (sofar, name) => {
        const values = grid.bits[name];
        if (values !== undefined) return sofar.flatMap((c) => values.map((v) => ({ ...c, [name]: v })));
        return name === 'hidden' ? sofar.map((c) => ({ ...c, hidden: c.act })) : sofar;
      },
      [{ ...EIGHT, form }],
    ),
  );
  return all.map((c) => canonical(c, layers));
};
