/** From the settings of the page to the options of the compiler. */
import type { CompileInput } from '../../../src/driver/script-input.js';
import type { Knob, Settings } from './protocol.js';

type Told = Pick<CompileInput, 'quant' | 'form'>;

/** The knobs that a form reads; those of the other form would be told in the manifest without an effect. */
export const knobsOf = (form: Settings['form']): ReadonlyArray<Knob> => {
  if (form === 'edge') return ['act', 'hidden', 'table'];
  return form === 'basis' ? ['act', 'hidden', 'coef', 'basis'] : ['act', 'hidden', 'table', 'coef', 'basis'];
};

/** Networks that are integers already have no options. */
export const optionsOf = ({ bits, form }: Settings, level: string): Told =>
  level === 'float'
    ? { quant: Object.fromEntries(knobsOf(form).map((knob) => [knob, bits[knob]])), form }
    : {};
