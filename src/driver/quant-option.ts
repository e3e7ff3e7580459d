/** `--quant`: bits of all layers and of single ones, and the options of passes that they become. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, printable } from '../diagnostics/index.js';

/** What `--quant` may set of all layers; other options of the quantize pass have flags of their own or need `--passes`. */
const OF_ALL = ['act', 'hidden', 'table', 'coef', 'basis', 'align'];

/** What it may set of one layer: bits, its quantizer and their alignment, and the form of its tables. */
const OF_LAYER = ['act', 'table', 'coef', 'basis', 'quantizer', 'align', 'form'];

/** The name of a layer, in which * stands for any letters, and what is set of it. */
const LAYER = /^([A-Za-z0-9_.*]+)\.([A-Za-z]+)$/;

/** Reads `act=6,table=8,layer1.act=4`. */
export const parseQuant = (text: string): Checked<Readonly<Record<string, string>>> => {
  const wrong = (found: string): Checked<never> =>
    fail('K0801', found, {
      place: { option: '--quant' },
      expected: `bits such as act=6,table=8, with the names ${OF_ALL.join(', ')}; or of one layer, such as layer1.act=4, with ${OF_LAYER.join(', ')}`,
    });
  const given: Record<string, string> = {};
  for (const part of text.split(',')) {
    const [name, value, ...more] = part.split('=').map((s) => s.trim());
    if (name === undefined || value === undefined || value === '' || more.length > 0) {
      return wrong(`'${printable(part, 60)}' is not of the form name=bits`);
    }
    if (/\s/.test(value)) return wrong(`'${printable(part, 60)}' has a blank inside`);
    const knob = LAYER.exec(name)?.[2];
    if (knob === undefined ? !OF_ALL.includes(name) : !OF_LAYER.includes(knob)) {
      return wrong(`there is nothing named '${printable(name, 60)}' to quantize`);
    }
    if (Object.hasOwn(given, name)) return wrong(`'${printable(name, 60)}' is given twice`);
    given[name] = value;
  }
  return E.right(given);
};

export interface QuantCalls {
  /** Options of the quantize pass. */
  readonly ofAll: Readonly<Record<string, string | number>>;
  /** Its option `layers`, and that of tabulate; undefined where no layer is named. */
  readonly quantize: string | undefined;
  readonly tabulate: string | undefined;
}

/**
 * The options of passes that `quant` becomes. Basis tables split a code into interval and fraction, so that the codes
 * of a layer are aligned to the knots where the form is asked for, of all layers or of this one, and nothing is said of `align`.
 */
export const quantCalls = (quant: Readonly<Record<string, string | number>> = {}): QuantCalls => {
  const ofAll: Record<string, string | number> = {};
  const [quantize, tabulate]: [string[], string[]] = [[], []];
  for (const [name, value] of Object.entries(quant)) {
    const [, layer, knob] = LAYER.exec(name) ?? [];
    if (layer === undefined) ofAll[name] = value;
    else if (knob !== 'form') quantize.push(`${name}=${value}`);
    else {
      tabulate.push(`${name}=${value}`);
      // Every form is told, as a later pattern may take back what an earlier one says.
      const wanted = quant[`${layer}.align`] ?? quant.align;
      if (wanted === undefined) quantize.push(`${layer}.align=${value === 'basis' ? 'knots' : 'free'}`);
    }
  }
  const listed = (settings: ReadonlyArray<string>): string | undefined =>
    settings.length === 0 ? undefined : settings.join(' ');
  return { ofAll, quantize: listed(quantize), tabulate: listed(tabulate) };
};
