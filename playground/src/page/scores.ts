/** Bars of what a network says about one sample. */
import { make } from './dom.js';
import { number, percent } from './format.js';

export interface Scores {
  readonly element: HTMLElement;
  /** `outputs` of one sample. */
  readonly show: (outputs: ArrayLike<number>) => void;
}

/** More bars than this nobody reads. */
const MOST = 20;

/** Integers are no logits: their place between the smallest and the largest. */
const places = (outputs: ReadonlyArray<number>): ReadonlyArray<number> => {
  const [lo, hi] = [Math.min(...outputs), Math.max(...outputs)];
  return outputs.map((x) => (x - lo) / (hi - lo || 1));
};

const softmax = (outputs: ReadonlyArray<number>): ReadonlyArray<number> => {
  const top = Math.max(...outputs);
  const powers = outputs.map((x) => Math.exp(x - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((p) => p / sum);
};

/** `classes`: names, or undefined for numbers. */
export const scores = (classes: ReadonlyArray<string> | undefined): Scores => {
  const verdict = make('p', { class: 'verdict', role: 'status' });
  const list = make('ol', { class: 'bars' });
  let bars: ReadonlyArray<{
    readonly item: HTMLElement;
    readonly fill: HTMLElement;
    readonly value: HTMLElement;
  }> = [];

  const nameOf = (k: number): string => classes?.[k] ?? `class ${k}`;
  const build = (length: number): void => {
    bars = Array.from({ length: Math.min(MOST, length) }, (_, k) => {
      const fill = make('span', { class: 'fill' });
      const value = make('span', { class: 'number' });
      const item = make(
        'li',
        {},
        make('span', { class: 'name' }, nameOf(k)),
        make('span', { class: 'bar', 'aria-hidden': 'true' }, fill),
        value,
      );
      return { item, fill, value };
    });
    list.replaceChildren(...bars.map(({ item }) => item));
  };

  return {
    element: make('div', { class: 'scores' }, verdict, list),
    show: (outputs) => {
      const all = Array.from(outputs);
      if (all.length < 2) {
        verdict.textContent = `output ${number(all[0] ?? Number.NaN)}`;
        return;
      }
      if (bars.length !== Math.min(MOST, all.length)) build(all.length);
      const isInteger = outputs instanceof Int32Array;
      const shares = isInteger ? places(all) : softmax(all);
      const best = shares.indexOf(Math.max(...shares));
      const said = (k: number): string => (isInteger ? String(all[k]) : percent(shares[k] ?? 0, 0));
      verdict.textContent = `${nameOf(best)}, ${said(best)}`;
      for (const [k, { item, fill, value }] of bars.entries()) {
        const share = shares[k] ?? 0;
        fill.style.width = `${100 * share}%`;
        value.textContent = said(k);
        item.classList.toggle('best', k === best);
      }
    },
  };
};
