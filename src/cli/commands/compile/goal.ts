/** From the options of a search to its goal. */
import * as E from 'fp-ts/lib/Either.js';
import { defined } from '../../../diagnostics/defined.js';
import { type Checked, fail, printable } from '../../../diagnostics/index.js';
import type { CompileOptions } from '../../../driver/compile-options.js';
import { bytesOption } from '../../../passes/options.js';
import type { Goal } from '../../../search/goal.js';
import type { SearchFlags } from '../../flags/search.js';

const FLAGS: Readonly<Record<keyof SearchFlags, string>> = {
  maxDrop: '--max-drop',
  minimize: '--minimize',
  budgetBitops: '--budget-bitops',
  budgetLuts: '--budget-luts',
  holdout: '--holdout',
  labels: '--labels',
  samples: '--samples',
  jobs: '--jobs',
};

const isFlag = (key: string): key is keyof SearchFlags => Object.hasOwn(FLAGS, key);

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 };

/** A positive number such as 50k or 2M. */
export const parseAmount = (text: string, option: string): Checked<number> => {
  const parts = /^(\d+(?:\.\d+)?)([kMGT]?)$/.exec(text);
  const amount = Number(parts?.[1]) * (UNITS[parts?.[2] ?? ''] ?? Number.NaN);
  return amount > 0
    ? E.right(amount)
    : fail('K0801', `'${printable(text, 60)}' is not possible`, {
        place: { option },
        expected: 'a number above 0, such as 50k or 2M',
      });
};

const wrong = (option: string, message: string, expected: string): Checked<never> =>
  fail('K0801', message, { place: { option }, expected });

/** Only those that are given. */
const budgetsOf = (flags: SearchFlags, memory: string | undefined): Checked<Goal['budgets']> => {
  const bytes = memory === undefined ? E.right(undefined) : bytesOption('', '').parse(memory);
  if (E.isLeft(bytes))
    return wrong('--budget-mem', `'${printable(memory ?? '', 60)}' is not possible`, bytes.left);
  const bitops =
    flags.budgetBitops === undefined
      ? E.right(undefined)
      : parseAmount(flags.budgetBitops, FLAGS.budgetBitops);
  if (E.isLeft(bitops)) return bitops;
  const luts =
    flags.budgetLuts === undefined ? E.right(undefined) : parseAmount(flags.budgetLuts, FLAGS.budgetLuts);
  return E.map((most: number | undefined) =>
    defined({ memory: bytes.right, bitops: bitops.right, luts: most }),
  )(luts);
};

/**
 * The goal of a search, or undefined where none is asked for. K0801 on options that have no effect without a search, or
 * would have none with it.
 */
export const goalOf = (flags: SearchFlags, options: CompileOptions): Checked<Goal | undefined> => {
  const { maxDrop } = flags;
  const given = Object.entries(flags).flatMap(([key, value]) =>
    isFlag(key) && value !== undefined ? [FLAGS[key]] : [],
  );
  if (maxDrop === undefined) {
    return given.length === 0
      ? E.right(undefined)
      : wrong(given[0]!, 'it has no effect without a search', '--max-drop beside it');
  }
  if (!(maxDrop >= 0 && maxDrop <= 100)) {
    return wrong(FLAGS.maxDrop, `${maxDrop} is not possible`, 'percent from 0 to 100');
  }
  if (options.quant !== undefined || options.passes !== undefined) {
    const flag = options.passes === undefined ? '--quant' : '--passes';
    return fail('K0801', `--max-drop chooses bits and tables, so ${flag} would have no effect`, {
      place: { option: flag },
      hint: 'Leave one of the two out.',
    });
  }
  if (options.calib === undefined) {
    return wrong(FLAGS.maxDrop, 'without data nothing can be measured', '--calib with inputs');
  }
  return E.map(
    (budgets: Goal['budgets']): Goal => ({
      maxDrop,
      minimize: flags.minimize ?? 'memory',
      budgets,
      form: options.form ?? 'auto',
    }),
  )(budgetsOf(flags, options.budgetMem));
};
