/** From the options of `kanc compile` to the text of its pipeline: the options are shorthands for one. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, printable } from '../diagnostics/index.js';
import type { Level } from '../ir/types.js';
import { type PassCall, showPipeline } from '../passes/pipeline-text.js';
import { BUILTIN_PASSES } from '../passes/registry.js';

/** Everything that shapes the program. Values are as the passes read them; absent ones are the passes' defaults. */
export interface CompileOptions {
  readonly inputDtype?: 'f32' | 'u8';
  readonly inputMean?: number;
  readonly inputStd?: number;
  /** The name of the calibration data. */
  readonly calib?: string;
  /** Bits by what they are of: `act`, `hidden`, `table`, `coef`, `basis`. */
  readonly quant?: Readonly<Record<string, string | number>>;
  readonly form?: 'auto' | 'edge' | 'basis';
  readonly outOfRange?: 'clamp' | 'extend';
  readonly nan?: 'zero' | 'refuse';
  /** Bytes that the tables of one layer may take, such as `4MB`. */
  readonly budgetMem?: string;
  /** The pipeline itself, in place of all of the above. */
  readonly passes?: string;
}

/** What `--quant` may set; the other options of the quantize pass have flags of their own or need `--passes`. */
const BITS = ['act', 'hidden', 'table', 'coef', 'basis'] as const;

/** Reads `act=6,table=8`. */
export const parseQuant = (text: string): Checked<Readonly<Record<string, string>>> => {
  const wrong = (found: string): Checked<never> =>
    fail('K0801', found, {
      place: { option: '--quant' },
      expected: `bits such as act=6,table=8, with the names ${BITS.join(', ')}`,
    });
  const bits: Record<string, string> = {};
  for (const part of text.split(',')) {
    const [name, value, ...more] = part.split('=').map((s) => s.trim());
    if (name === undefined || value === undefined || value === '' || more.length > 0) {
      return wrong(`'${part}' is not of the form name=bits`);
    }
    if (!BITS.some((b) => b === name)) return wrong(`there is nothing named '${name}' to quantize`);
    if (Object.hasOwn(bits, name)) return wrong(`'${name}' is given twice`);
    bits[name] = value;
  }
  return E.right(bits);
};

/** Reads `pipeline=2,reset=true`; the target says which names and values there are. */
export const parseTargetOptions = (text: string): Checked<Readonly<Record<string, string>>> => {
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

const FLAGS: Readonly<Record<keyof CompileOptions, string>> = {
  inputDtype: '--input-dtype',
  inputMean: '--input-mean',
  inputStd: '--input-std',
  calib: '--calib',
  quant: '--quant',
  form: '--form',
  outOfRange: '--out-of-range',
  nan: '--nan',
  budgetMem: '--budget-mem',
  passes: '--passes',
};

const isKey = (key: string): key is keyof CompileOptions => Object.hasOwn(FLAGS, key);

/** Only the options that are given. */
const given = (options: Readonly<Record<string, string | number | undefined>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(options).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]])),
  );

const call = (
  name: string,
  options: Readonly<Record<string, string | number | undefined>> = {},
): PassCall => ({
  name,
  options: given(options),
});

/** The `input` pass that options ask for, or none. */
export const inputCalls = (
  o: Pick<CompileOptions, 'inputDtype' | 'inputMean' | 'inputStd'>,
): ReadonlyArray<PassCall> => {
  const options = given({ dtype: o.inputDtype, mean: o.inputMean, std: o.inputStd });
  return Object.keys(options).length === 0 ? [] : [{ name: 'input', options }];
};

/** What remains to be done when everything is tables. */
const TABLE_PASSES: ReadonlyArray<PassCall> = ['fold', 'prune', 'dedupe', 'narrow', 'dce'].map((name) =>
  call(name),
);

/** Bits of table entries up to which a refit is worth its seconds: above, accuracy stays the same within chance. */
const COARSE = 3;

const isCoarse = ({ quant = {} }: CompileOptions): boolean => Number(quant['table'] ?? 8) <= COARSE;

const callsOf = (o: CompileOptions): ReadonlyArray<PassCall> => [
  ...inputCalls(o),
  call('calibrate', { data: o.calib }),
  call('quantize', {
    ...o.quant,
    budget: o.budgetMem,
    range: o.outOfRange,
    // Basis tables split a code into interval and fraction.
    align: o.form === 'basis' ? 'knots' : undefined,
    nan: o.nan,
  }),
  call('tabulate', {
    form: o.form,
    budget: o.budgetMem,
    data: isCoarse(o) && o.form !== 'basis' ? o.calib : undefined,
  }),
  ...TABLE_PASSES,
];

/** The option of a pass that each flag with a free value becomes; those of other flags are chosen from lists. */
const MEANT = {
  inputMean: ['input', 'mean'],
  inputStd: ['input', 'std'],
  budgetMem: ['quantize', 'budget'],
} as const;

/** Every value that a pass will read, with the flag it was given by. */
const valuesOf = (
  o: CompileOptions,
): ReadonlyArray<{ flag: string; pass: string; option: string; value: string }> => {
  const quant = Object.entries(o.quant ?? {}).map(([option, value]) => ({
    flag: FLAGS.quant,
    pass: 'quantize',
    option,
    value: String(value),
  }));
  const single = (['inputMean', 'inputStd', 'budgetMem'] as const).flatMap((key) => {
    const value = o[key];
    const [pass, option] = MEANT[key];
    return value === undefined ? [] : [{ flag: FLAGS[key], pass, option, value: String(value) }];
  });
  return [...quant, ...single];
};

/** Whether the passes will take the values of the options; names the option of kanc (K0801) and not that of the pass. */
export const checkValues = (options: CompileOptions): Checked<void> => {
  for (const { flag, pass, option, value } of valuesOf(options)) {
    const bound = BUILTIN_PASSES.find((p) => p.name === pass)?.bind({ [option]: value });
    if (bound === undefined || E.isRight(bound)) continue;
    const said = flag === FLAGS.quant ? `${option}=${value}` : value;
    const [, expected] = /expected (.*), found /.exec(bound.left[0].message) ?? [];
    return fail('K0801', `'${printable(said, 60)}' is not possible`, {
      place: { option: flag },
      expected: expected ?? bound.left[0].message,
    });
  }
  return E.right(undefined);
};

/** The flags of the options that are given, `--passes` left out. */
const flagsOf = (options: CompileOptions): ReadonlyArray<string> =>
  Object.entries(options).flatMap(([key, value]) =>
    value !== undefined && isKey(key) && key !== 'passes' ? [FLAGS[key]] : [],
  );

/**
 * The pipeline text of options, for a network that is imported at `level`. Fails with K0801 on values that are out of
 * range, and where options would have no effect: beside `passes`, and on networks that are integers already.
 */
export const compilePipeline = (options: CompileOptions, level: Level = 'float'): Checked<string> => {
  const calls = level === 'table' ? TABLE_PASSES : callsOf(options);
  const ignored = flagsOf(options).join(', ');
  if (options.passes !== undefined) {
    return ignored === ''
      ? E.right(options.passes)
      : fail('K0801', `--passes replaces the whole pipeline, so ${ignored} would have no effect`, {
          hint: `Write it into the pipeline instead; without --passes it is ${showPipeline(calls)}`,
        });
  }
  if (level === 'table' && ignored !== '') {
    return fail(
      'K0801',
      `the checkpoint is a network of integers already, so ${ignored} would have no effect`,
      {
        hint: 'Leave it out.',
      },
    );
  }
  return E.map(() => showPipeline(calls))(checkValues(options));
};
