/** From the options of `kanc compile` to the text of its pipeline: the options are shorthands for one. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, printable } from '../diagnostics/index.js';
import type { Level } from '../ir/types.js';
import { type PassCall, showPipeline } from '../passes/pipeline-text.js';
import { BUILTIN_PASSES } from '../passes/registry.js';
import { COARSE, isForm, matters } from '../search/configuration.js';
import { quantCalls } from './quant-option.js';

export { parseQuant } from './quant-option.js';

/** Everything that shapes the program. Values are as the passes read them; absent ones are the passes' defaults. */
export interface CompileOptions {
  readonly inputDtype?: 'f32' | 'u8';
  /** One number, or one for each channel of the input. */
  readonly inputMean?: number | ReadonlyArray<number>;
  readonly inputStd?: number | ReadonlyArray<number>;
  /** The name of the calibration data. */
  readonly calib?: string;
  /**
   * Bits by what they are of: `act`, `hidden`, `table`, `coef`, `basis`; and of one layer, such as `layer1.act`, also its
   * `quantizer` and the `form` of its tables.
   */
  readonly quant?: Readonly<Record<string, string | number>>;
  readonly form?: 'auto' | 'edge' | 'basis';
  /** How ranges of activations come from calibration. */
  readonly ranges?: 'minmax' | 'percentile' | 'mse' | 'histogram';
  /** Whether levels of activations are at equal distances, or in cells of least squared error. */
  readonly quantizer?: 'uniform' | 'lloyd';
  readonly outOfRange?: 'clamp' | 'extend';
  readonly nan?: 'zero' | 'refuse';
  /** Bytes that the tables of one layer may take, such as `4MB`. */
  readonly budgetMem?: string;
  /** The pipeline itself, in place of all of the above. */
  readonly passes?: string;
}

const FLAGS: Readonly<Record<keyof CompileOptions, string>> = {
  inputDtype: '--input-dtype',
  inputMean: '--input-mean',
  inputStd: '--input-std',
  calib: '--calib',
  quant: '--quant',
  form: '--form',
  ranges: '--ranges',
  quantizer: '--quantizer',
  outOfRange: '--out-of-range',
  nan: '--nan',
  budgetMem: '--budget-mem',
  passes: '--passes',
};

const isKey = (key: string): key is keyof CompileOptions => Object.hasOwn(FLAGS, key);

type OptionValue = string | number | ReadonlyArray<number> | undefined;

/** Only the options that are given; lists with commas between their numbers. */
const given = (options: Readonly<Record<string, OptionValue>>): Record<string, string> =>
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

const hasCoarse = (knob: string): knob is keyof typeof COARSE => Object.hasOwn(COARSE, knob);

/** Whether so few bits are asked for, of all layers or of one, in a form that they matter in. */
const isCoarse = ({ quant = {}, form = 'auto' }: CompileOptions): boolean => {
  const forms = Object.entries(quant).flatMap(([name, value]) => (name.endsWith('.form') ? [value] : []));
  return Object.entries(quant).some(([name, bits]) => {
    const dot = name.lastIndexOf('.');
    const knob = name.slice(dot + 1);
    if (!hasCoarse(knob) || !(Number(bits) <= COARSE[knob])) return false;
    const own = dot < 0 ? undefined : quant[`${name.slice(0, dot)}.form`];
    return (own === undefined ? [form, ...forms] : [own]).some(
      (f) => knob === 'hidden' || (isForm(f) && matters(knob, f)),
    );
  });
};

const callsOf = (o: CompileOptions): ReadonlyArray<PassCall> => {
  const quant = quantCalls(o.quant);
  return [
    ...inputCalls(o),
    call('calibrate', { data: o.calib }),
    call('quantize', {
      ...quant.ofAll,
      budget: o.budgetMem,
      range: o.outOfRange,
      // Basis tables split a code into interval and fraction.
      align: quant.ofAll.align ?? (o.form === 'basis' ? 'knots' : undefined),
      nan: o.nan,
      ranges: o.ranges,
      quantizer: o.quantizer,
      layers: quant.quantize,
    }),
    call('tabulate', {
      form: o.form,
      budget: o.budgetMem,
      data: isCoarse(o) ? o.calib : undefined,
      layers: quant.tabulate,
    }),
    ...TABLE_PASSES,
  ];
};

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
  const quant = Object.entries(o.quant ?? {}).map(([name, value]) => {
    const ofLayer = name.includes('.');
    return {
      flag: FLAGS.quant,
      pass: name.endsWith('.form') ? 'tabulate' : 'quantize',
      option: ofLayer ? 'layers' : name,
      value: ofLayer ? `${name}=${value}` : String(value),
    };
  });
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
    const known = BUILTIN_PASSES.find((p) => p.name === pass)?.help ?? [];
    const accepts = known.find((o) => o.name === option)?.accepts;
    const accepted =
      accepts === undefined ? E.left(`one of ${known.map((o) => o.name).join(', ')}`) : accepts(value);
    if (E.isRight(accepted)) continue;
    const said = flag === FLAGS.quant && option !== 'layers' ? `${option}=${value}` : value;
    return fail('K0801', `'${printable(said, 60)}' is not possible`, {
      place: { option: flag },
      expected: accepted.left,
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
