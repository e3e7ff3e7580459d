/** Sliders for bits, and the form of tables. */
import type { Description } from '../../../src/importers/describe.js';
import { FORMS, type Form, KNOBS, type Knob, type Settings } from '../shared/protocol.js';
import { knobsOf } from '../shared/quant.js';
import { byId, make } from './dom.js';

const KNOB_TEXT: Readonly<Record<Knob, { readonly label: string; readonly about: string }>> = {
  act: { label: 'Inputs', about: 'each bit more doubles the rows of edge tables' },
  hidden: { label: 'Hidden values', about: 'what goes from layer to layer' },
  table: { label: 'Table entries', about: 'what the rows of edge tables hold' },
  coef: { label: 'Coefficients', about: 'of the splines, in the basis form' },
  basis: { label: 'Basis values', about: 'of the shared B-spline table, in the basis form' },
};

const FORM_TEXT: Readonly<Record<Form, { readonly label: string; readonly about: string }>> = {
  auto: { label: 'Auto', about: 'Each layer gets the form that a model of its cost prefers.' },
  edge: {
    label: 'Edge',
    about: 'Edge tables: the whole function of every edge. One addition for each edge, and more bytes.',
  },
  basis: {
    label: 'Basis',
    about: 'Basis tables: coefficients, and one small table of B-splines for all. Fewer bytes, more work.',
  },
};

const LEAST: Readonly<Record<Knob, number>> = { act: 1, hidden: 1, table: 2, coef: 2, basis: 1 };

/** Table entries of one layer that a browser holds with ease. */
const MOST_ENTRIES = 2 ** 26;

/** The most bits of codes for which edge tables stay within reason. */
const mostCodes = (layers: Description['ops']): number => {
  const size = (shape: ReadonlyArray<number>): number => shape.reduce((n, d) => n * d, 1);
  const largest = Math.max(1, ...layers.map((op) => size(op.inputShape) * size(op.outputShape)));
  return Math.min(14, Math.max(8, Math.floor(Math.log2(MOST_ENTRIES / largest))));
};

const mostOf = ({ ops }: Description): Readonly<Record<Knob, number>> => {
  const kan = ops.filter(({ op }) => op === 'kan');
  return { act: mostCodes(kan.slice(0, 1)), hidden: mostCodes(kan.slice(1)), table: 16, coef: 12, basis: 12 };
};

export interface SettingsPanel {
  readonly show: (description: Description, settings: Settings) => void;
  readonly set: (settings: Settings) => void;
}

/** `onChange` hears of every position. */
export const settingsPanel = (onChange: (settings: Settings) => void): SettingsPanel => {
  const panel = byId('settings', HTMLElement);
  const about = byId('form-about', HTMLElement);
  let current: Settings | undefined;

  const rows = KNOBS.map((knob) => {
    const { label, about: text } = KNOB_TEXT[knob];
    const input = make('input', {
      type: 'range',
      id: `bits-${knob}`,
      min: LEAST[knob],
      'aria-describedby': `about-${knob}`,
    });
    const shown = make('output', { for: `bits-${knob}` });
    const row = make(
      'div',
      { class: 'slider' },
      make('label', { for: `bits-${knob}` }, label),
      shown,
      input,
      make('span', { class: 'hint', id: `about-${knob}` }, text),
    );
    const display = (): void => {
      const text = `${input.value} bit${input.value === '1' ? '' : 's'}`;
      shown.textContent = text;
      input.setAttribute('aria-valuetext', text);
      const share = (input.valueAsNumber - Number(input.min)) / (Number(input.max) - Number(input.min));
      input.style.setProperty('--share', String(share));
    };
    input.addEventListener('input', () => {
      display();
      if (current === undefined) return;
      current = { ...current, bits: { ...current.bits, [knob]: input.valueAsNumber } };
      onChange(current);
    });
    return { knob, row, input, display };
  });
  byId('sliders', HTMLElement).append(...rows.map(({ row }) => row));

  const radios = FORMS.map((form) => {
    const input = make('input', { type: 'radio', name: 'form', value: form, id: `form-${form}` });
    input.addEventListener('change', () => {
      if (current === undefined) return;
      current = { ...current, form };
      display(current);
      onChange(current);
    });
    return { form, input };
  });
  byId('form', HTMLElement).append(
    ...radios.flatMap(({ form, input }) => [input, make('label', { for: input.id }, FORM_TEXT[form].label)]),
  );

  const display = (settings: Settings): void => {
    current = settings;
    const used = knobsOf(settings.form);
    for (const { form, input } of radios) input.checked = form === settings.form;
    about.textContent = FORM_TEXT[settings.form].about;
    for (const { knob, row, input, display: showRow } of rows) {
      row.hidden = !used.includes(knob);
      input.value = String(settings.bits[knob]);
      showRow();
    }
  };

  return {
    set: display,
    show: (description, settings) => {
      // A network of integers has no bits to choose.
      panel.hidden = description.level !== 'float';
      const most = mostOf(description);
      for (const { knob, input } of rows) input.max = String(most[knob]);
      display(settings);
    },
  };
};
