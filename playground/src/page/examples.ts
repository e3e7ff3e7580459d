/** The checkpoints that ship with kanc. They are fetched when they are chosen. */
import { CLASSES as FASHION } from '../../../examples/shared/fashion.js';
import type { NamedFile, Reading, Role, Roles, Settings } from '../shared/protocol.js';

export interface Example {
  readonly id: string;
  readonly title: string;
  readonly about: string;
  /** Paths below examples/, as the build copies them, and what each file is for. */
  readonly files: ReadonlyArray<readonly [path: string, role: Role]>;
  readonly reading: Reading;
  readonly settings: Settings;
  /** Names of classes; numbers where absent. */
  readonly classes?: ReadonlyArray<string>;
}

const PIXELS: Reading = { inputDtype: 'u8', inputMean: 0.5, inputStd: 0.5 };

export const EIGHT_BITS: Settings = {
  bits: { act: 8, hidden: 8, table: 8, coef: 8, basis: 8 },
  form: 'auto',
};

const SIX_BITS: Settings = { ...EIGHT_BITS, bits: { ...EIGHT_BITS.bits, act: 6 } };

/** Its layer norm comes before the first table, so that the rows of that are counted by `hidden`. */
const BEHIND_A_NORM: Settings = { ...EIGHT_BITS, bits: { ...EIGHT_BITS.bits, hidden: 6 } };

const FASHION_DATA = [
  ['data/fashion-mnist/calib_images.npy', 'calibration'],
  ['data/fashion-mnist/test_images.npy', 'inputs'],
  ['data/fashion-mnist/test_labels.npy', 'labels'],
] as const;

const WINE_DATA = [
  ['data/wine/calib_inputs.npy', 'calibration'],
  ['data/wine/test_inputs.npy', 'inputs'],
  ['data/wine/test_labels.npy', 'labels'],
] as const;

export const EXAMPLES: ReadonlyArray<Example> = [
  {
    id: 'fashion',
    title: 'Fashion-MNIST',
    about: 'efficient-kan, [784, 64, 10]',
    files: [['models/efficient-kan-fashion/model.pt', 'checkpoint'], ...FASHION_DATA],
    reading: PIXELS,
    settings: SIX_BITS,
    classes: FASHION,
  },
  {
    id: 'digits',
    title: 'Handwritten digits',
    about: 'efficient-kan, [64, 32, 10]',
    files: [
      ['models/efficient-kan-digits/model.pt', 'checkpoint'],
      ['data/digits/calib_inputs.npy', 'calibration'],
      ['data/digits/test_inputs.npy', 'inputs'],
      ['data/digits/test_labels.npy', 'labels'],
    ],
    reading: {},
    settings: SIX_BITS,
    classes: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
  },
  {
    id: 'convolutions',
    title: 'Convolutions',
    about: 'torch-conv-kan, Fashion-MNIST, with an architecture file',
    files: [
      ['models/conv-kan-fashion-batchnorm/model.safetensors', 'checkpoint'],
      ['models/conv-kan-fashion-batchnorm/arch.json', 'architecture'],
      ...FASHION_DATA,
    ],
    reading: PIXELS,
    settings: SIX_BITS,
    classes: FASHION,
  },
  {
    id: 'fast-kan',
    title: 'Gaussians',
    about: 'fast-kan, [784, 64, 10], Fashion-MNIST',
    files: [['models/fast-kan-fashion/model.safetensors', 'checkpoint'], ...FASHION_DATA],
    reading: PIXELS,
    settings: BEHIND_A_NORM,
    classes: FASHION,
  },
  {
    id: 'wine',
    title: 'Wine cultivars',
    about: 'pykan, [13, 6, 3]',
    files: [
      ['models/pykan-wine/model_state', 'checkpoint'],
      ['models/pykan-wine/model_config.yml', 'beside'],
      ...WINE_DATA,
    ],
    reading: {},
    settings: SIX_BITS,
    classes: ['cultivar 1', 'cultivar 2', 'cultivar 3'],
  },
  {
    id: 'regression',
    title: 'A regression',
    about: 'efficient-kan, exp(sin πx + y²)',
    files: [
      ['models/efficient-kan-regression/model.pt', 'checkpoint'],
      ['data/regression/calib_inputs.npy', 'calibration'],
      ['data/regression/test_inputs.npy', 'inputs'],
      ['data/regression/test_targets.npy', 'labels'],
    ],
    reading: {},
    settings: { ...EIGHT_BITS, bits: { ...EIGHT_BITS.bits, act: 10, hidden: 10, table: 12 } },
  },
  {
    id: 'beans',
    title: 'Truth tables',
    about: 'KANELE, dry beans, integers already',
    files: [
      ['models/kanele-drybean/truth_tables.json', 'checkpoint'],
      ['models/kanele-drybean/config.json', 'beside'],
    ],
    reading: {},
    settings: EIGHT_BITS,
  },
];

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** Rejects where a file cannot be had: without a network, one that was never fetched. */
export const fetchExample = async ({
  files,
}: Example): Promise<{ readonly files: ReadonlyArray<NamedFile>; readonly roles: Roles }> => {
  const named = await Promise.all(
    files.map(async ([path]): Promise<NamedFile> => {
      const response = await fetch(new URL(`examples/${path}`, document.baseURI)).catch(() => undefined);
      if (response === undefined || !response.ok) {
        throw new Error(
          `examples/${path} cannot be loaded${response === undefined ? ': there is no connection' : ` (${response.status})`}.`,
        );
      }
      return { name: nameOf(path), content: await response.blob() };
    }),
  );
  return { files: named, roles: Object.fromEntries(files.map(([path, role]) => [nameOf(path), role])) };
};
