/** What a person may say about a checkpoint that the file does not. */
import { defined } from '../../../src/diagnostics/defined.js';
import { ACTIVATIONS } from '../../../src/numeric/activations.js';
import type { Reading } from '../shared/protocol.js';
import { byId, make } from './dom.js';

export interface ReadingForm {
  readonly show: (reading: Reading) => void;
}

const row = (label: string, field: HTMLElement): HTMLElement =>
  make('label', {}, make('span', {}, label), field);

/** The numbers of a list such as "1, 28, 28"; undefined where it holds none. */
const shapeOf = (text: string): ReadonlyArray<number> | undefined => {
  const parts = text.split(/[\s,x×]+/).filter((part) => part !== '');
  const numbers = parts.map(Number);
  return numbers.length > 0 && numbers.every((n) => Number.isInteger(n) && n > 0) ? numbers : undefined;
};

/** One number, or several such as "0.485, 0.456, 0.406"; undefined where a part is no number. */
const numbersIn = (text: string): number | ReadonlyArray<number> | undefined => {
  const numbers = text.split(/[\s,]+/).filter((part) => part !== '');
  const values = numbers.map(Number);
  if (values.length === 0 || !values.every(Number.isFinite)) return undefined;
  return values.length === 1 ? values[0] : values;
};

const shownNumbers = (numbers: number | ReadonlyArray<number> | undefined): string =>
  numbers === undefined ? '' : [numbers].flat().join(', ');

export const readingForm = (onChange: (reading: Reading) => void): ReadingForm => {
  const form = byId('reading-form', HTMLFormElement);
  const dtype = make(
    'select',
    {},
    make('option', { value: '' }, 'numbers (f32)'),
    make('option', { value: 'u8' }, 'bytes (u8), divided by 255'),
  );
  const mean = make('input', { type: 'text', inputMode: 'decimal', placeholder: '0', autocomplete: 'off' });
  const std = make('input', { type: 'text', inputMode: 'decimal', placeholder: '1', autocomplete: 'off' });
  const layout = make(
    'select',
    {},
    make('option', { value: '' }, 'channels, height, width'),
    make('option', { value: 'nhwc' }, 'height, width, channels'),
  );
  const activation = make(
    'select',
    {},
    make('option', { value: '' }, 'as the library has it'),
    ...Object.keys(ACTIVATIONS).map((name) => make('option', { value: name }, name)),
  );
  const shape = make('input', { type: 'text', placeholder: '1, 28, 28', autocomplete: 'off' });
  const prefix = make('input', { type: 'text', placeholder: 'enc', autocomplete: 'off' });
  const extra = make('input', { type: 'checkbox' });

  const textIn = (field: { readonly value: string }): string | undefined =>
    field.value.trim() === '' ? undefined : field.value.trim();
  const readingOf = (): Reading =>
    defined({
      inputDtype: dtype.value === 'u8' ? ('u8' as const) : undefined,
      inputMean: numbersIn(mean.value),
      inputStd: numbersIn(std.value),
      inputLayout: layout.value === 'nhwc' ? ('nhwc' as const) : undefined,
      baseActivation: textIn(activation),
      inputShape: shapeOf(shape.value),
      prefix: textIn(prefix),
      ignoreExtra: extra.checked ? true : undefined,
    });

  form.append(
    row('Inputs are', dtype),
    row('Mean that is subtracted', mean),
    row('Deviation that divides', std),
    row('Axes of image data', layout),
    row('Base activation', activation),
    row('Shape of one sample', shape),
    row('Tensor names begin with', prefix),
    row('Leave out tensors without a part', extra),
  );
  form.addEventListener('change', () => onChange(readingOf()));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    onChange(readingOf());
  });

  return {
    show: (reading) => {
      byId('reading', HTMLDetailsElement).hidden = false;
      dtype.value = reading.inputDtype ?? '';
      mean.value = shownNumbers(reading.inputMean);
      std.value = shownNumbers(reading.inputStd);
      layout.value = reading.inputLayout ?? '';
      activation.value = reading.baseActivation ?? '';
      shape.value = reading.inputShape?.join(', ') ?? '';
      prefix.value = reading.prefix ?? '';
      extra.checked = reading.ignoreExtra === true;
    },
  };
};
