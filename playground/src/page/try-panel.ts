/** Gives the compiled program something to look at: a drawing, a sample of the data, or numbers. */
import type { Compiled, Opened, Samples } from '../shared/protocol.js';
import { loadArtifact, type Model } from '../shared/run-artifact.js';
import { byId, make } from './dom.js';
import { drawing } from './drawing.js';
import { type Features, features } from './features.js';
import { scores } from './scores.js';

export interface TryPanel {
  /** A network was opened: what it takes decides what is shown. */
  readonly open: (opened: Opened, classes: ReadonlyArray<string> | undefined) => void;
  /** A program was compiled. It looks at what is there at once. */
  readonly use: (compiled: Compiled) => Promise<void>;
}

/** Where the values of one sample come from, and how they are shown. */
interface Source {
  readonly element: HTMLElement;
  readonly read: () => ReadonlyArray<number>;
  readonly show: (values: ArrayLike<number>) => void;
  readonly clear?: () => void;
}

const MOST_FEATURES = 24;

/** The side of a square image that the input can be, of one channel. */
const sideOf = (shape: ReadonlyArray<number>): number | undefined => {
  const [channels, height, width] = shape;
  if (shape.length === 3) return channels === 1 && height === width ? height : undefined;
  const side = Math.sqrt(shape.reduce((n, d) => n * d, 1));
  return Number.isInteger(side) && side >= 8 ? side : undefined;
};

/** The smallest and largest value of all inputs: black and white. */
const rangeOf = (samples: Samples | undefined): readonly [number, number] => {
  if (samples === undefined) return [0, 1];
  if (samples.data instanceof Uint8Array) return [0, 255];
  return [samples.lowest.reduce((a, b) => Math.min(a, b)), samples.highest.reduce((a, b) => Math.max(a, b))];
};

const imageSource = (side: number, samples: Samples | undefined, onChange: () => void): Source => {
  const [black, white] = rangeOf(samples);
  const canvas = drawing(side, onChange);
  const help = make(
    'p',
    { class: 'hint', id: 'drawing-keys' },
    'Draw with a pointer; or with the arrow keys, Shift to draw, space for a dot.',
  );
  return {
    element: make('div', {}, canvas.element, help),
    read: () => Array.from(canvas.pixels(), (p) => black + ((white - black) * p) / 255),
    show: (values) =>
      canvas.show(Uint8Array.from(values, (v) => Math.round((255 * (v - black)) / (white - black)))),
    clear: canvas.clear,
  };
};

/** Undefined where nothing tells what range inputs have. */
const slidersOf = (
  count: number,
  samples: Samples | undefined,
  codes: number | undefined,
  onChange: () => void,
): Features | undefined => {
  if (samples !== undefined) return features(samples.lowest, samples.highest, 'any', onChange);
  if (codes === undefined) return undefined;
  return features(new Float32Array(count), new Float32Array(count).fill(codes - 1), 1, onChange);
};

const sourceOf = ({ inputShape, samples, codes }: Opened, onChange: () => void): Source | undefined => {
  const side = sideOf(inputShape);
  if (side !== undefined) return imageSource(side, samples, onChange);
  const count = inputShape.reduce((n, d) => n * d, 1);
  if (count > MOST_FEATURES) return undefined;
  const sliders = slidersOf(count, samples, codes, onChange);
  if (sliders === undefined) return undefined;
  return { element: sliders.element, read: sliders.values, show: sliders.show };
};

const arrayFor = (model: Model, values: ReadonlyArray<number>): Float32Array | Uint8Array =>
  model.meta.input.dtype === 'f32'
    ? Float32Array.from(values)
    : Uint8Array.from(values, (v) => Math.min(255, Math.max(0, Math.round(v))));

export const tryPanel = (): TryPanel => {
  const panel = byId('try', HTMLElement);
  const body = byId('try-body', HTMLElement);
  let model: Model | undefined;
  let source: Source | undefined;
  let bars = scores(undefined);

  const look = async (): Promise<void> => {
    if (model === undefined || source === undefined) return;
    bars.show(await model.predict(arrayFor(model, source.read()), 1));
  };

  return {
    open: (opened, classes) => {
      model = undefined;
      source = sourceOf(opened, () => void look());
      panel.hidden = source === undefined;
      if (source === undefined) return;
      bars = scores(classes);
      const { samples } = opened;
      const label = make('span', { class: 'sample-label', role: 'status' });
      const buttons = make('div', { class: 'buttons' });
      const { show, clear } = source;
      if (samples !== undefined) {
        let next = 0;
        const step = (): void => {
          const at = next % samples.count;
          show(samples.data.subarray(at * samples.features, (at + 1) * samples.features));
          const right = samples.classes?.[at];
          label.textContent =
            right === undefined
              ? `test sample ${at}`
              : `test sample ${at}, which is ${classes?.[right] ?? `class ${right}`}`;
          next++;
        };
        const button = make('button', { type: 'button', id: 'next-sample' }, 'Next test sample');
        button.addEventListener('click', step);
        buttons.append(button);
        step();
      }
      if (clear !== undefined) {
        const button = make('button', { type: 'button', id: 'clear' }, 'Clear');
        button.addEventListener('click', () => {
          label.textContent = '';
          clear();
        });
        buttons.append(button);
      }
      body.replaceChildren(make('div', { class: 'giving' }, source.element, buttons, label), bars.element);
    },
    use: async ({ files }) => {
      model = await loadArtifact(files);
      await look();
    },
  };
};
