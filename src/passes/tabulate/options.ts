/** The options of tabulate. */
import type { Form } from '../../analyses/form-cost.js';
import { type LayerSettings, layersOption } from '../layer-settings.js';
import {
  autoIntegerOption,
  autoNumberOption,
  bytesOption,
  choiceOption,
  declareOptions,
  textOption,
} from '../options.js';
import type { RefitOptions } from '../refit/index.js';

/** `form` of all layers and of single ones. */
export const FORM = choiceOption('edge tables, basis tables, or per layer by cost', [
  'auto',
  'edge',
  'basis',
]);

export const { codec, help } = declareOptions({
  form: FORM,
  budget: bytesOption('bytes of tables a layer may take before form=auto turns to the smaller form', '64MiB'),
  scale: choiceOption('one scale of table entries for each output or one for all', ['output', 'tensor']),
  coefScale: choiceOption('one scale of coefficients for each output or one for all', ['output', 'tensor']),
  cells: choiceOption(
    'an entry is the mean of the function over the calibration values of its cell, or its value at the decoded code',
    ['mean', 'value'],
  ),
  data: textOption(
    '.npy file with inputs; with it tables are refit: corrected together, layer by layer, so that outputs come close to those of the float network',
  ),
  refit: choiceOption('what a refit corrects: tables and biases, or biases alone', ['full', 'bias']),
  samples: autoIntegerOption('samples to refit on; auto: 2048, fewer for large networks', 1, 16384),
  ridge: autoNumberOption(
    'how much a change of entries costs in a refit, against errors of outputs; auto: what is best on samples that are held out, no refit included',
    1e-6,
    1e30,
  ),
  layers: layersOption('options of single layers', { form: FORM }),
});

export interface TabulateOptions extends RefitOptions {
  readonly data: string;
  readonly form: 'auto' | Form;
  readonly budget: number;
  readonly scale: 'output' | 'tensor';
  readonly coefScale: 'output' | 'tensor';
  readonly cells: 'mean' | 'value';
  readonly layers: LayerSettings;
}
