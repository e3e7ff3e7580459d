/** A slider for each input of a small network. */
import { everyFrame, make } from './dom.js';
import { number } from './format.js';

export interface Features {
  readonly element: HTMLElement;
  readonly values: () => ReadonlyArray<number>;
  readonly show: (values: ArrayLike<number>) => void;
}

export const features = (
  lowest: ArrayLike<number>,
  highest: ArrayLike<number>,
  step: number | 'any',
  onChange: () => void,
): Features => {
  const changed = everyFrame(onChange);
  const sliders = Array.from(lowest, (lo, k) => {
    const hi = highest[k] ?? lo;
    const input = make('input', { type: 'range', min: lo, max: hi, step, 'aria-label': `input ${k}` });
    const shown = make('output', {});
    const display = (): void => {
      shown.textContent = number(input.valueAsNumber);
      input.style.setProperty('--share', String((input.valueAsNumber - lo) / (hi - lo || 1)));
    };
    display();
    input.addEventListener('input', () => {
      display();
      changed();
    });
    return {
      row: make('div', { class: 'feature' }, make('span', {}, `x${k}`), input, shown),
      input,
      display,
    };
  });
  return {
    element: make('div', { class: 'features' }, ...sliders.map(({ row }) => row)),
    values: () => sliders.map(({ input }) => input.valueAsNumber),
    show: (values) => {
      for (const [k, { input, display }] of sliders.entries()) {
        input.value = String(values[k] ?? 0);
        display();
      }
      changed();
    },
  };
};
