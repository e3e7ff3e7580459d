/** The numbers of the compiled program. */
import type { Compiled, GpuResult, Reference, Score } from '../shared/protocol.js';
import { byId, make } from './dom.js';
import { bytes, count, micro, milli, percent } from './format.js';
import { qualityOf, qualityOfScore } from './history.js';

export interface Results {
  readonly compiled: Compiled;
  readonly reference: Reference | undefined;
  readonly gpu: GpuResult | undefined;
}

const card = (id: string, title: string, value: string, ...below: ReadonlyArray<string>): HTMLElement =>
  make(
    'div',
    { class: 'card', id: `card-${id}` },
    make('dt', {}, title),
    make('dd', { class: 'value' }, value),
    ...below.filter((text) => text !== '').map((text) => make('dd', { class: 'below' }, text)),
  );

const samplesOf = (score: Score): string =>
  score._tag === 'none' ? '' : `on ${count(score.samples, 'sample')}`;

const floatText = (reference: Reference | undefined): string => {
  const quality = reference === undefined ? undefined : qualityOfScore(reference.score);
  if (quality === undefined || reference === undefined) return '';
  return `float network ${quality.text} ${samplesOf(reference.score)}`;
};

const qualityCard = ({ compiled, reference }: Results): HTMLElement => {
  const quality = qualityOf(compiled);
  const { divergence, score } = compiled;
  if (quality === undefined) {
    return card('quality', 'Accuracy', '–', 'there are no inputs to measure it on');
  }
  if (score._tag === 'none') {
    return card(
      'quality',
      divergence?.argmaxAgreement === undefined ? 'Relative error' : 'Agreement',
      quality.text,
      `with the float network, on ${count(divergence?.samples ?? 0, 'sample')}`,
      divergence === undefined ? '' : `outputs differ by ${percent(divergence.relativeRms)}`,
    );
  }
  return card(
    'quality',
    score._tag === 'accuracy' ? 'Accuracy' : 'RMS error',
    quality.text,
    samplesOf(score),
    reference === undefined ? 'measuring the float network ...' : floatText(reference),
  );
};

const timeCard = ({ compiled, reference, gpu }: Results): HTMLElement => {
  const ratio = reference === undefined ? 0 : reference.microseconds / compiled.microseconds;
  const longer = ratio < 2 ? '' : `, ${Math.round(ratio).toLocaleString('en')} times as long`;
  return card(
    'time',
    'One sample on WASM',
    micro(compiled.microseconds),
    reference === undefined
      ? ''
      : `${micro(reference.microseconds)} in kanc's interpreter, in floats${longer}`,
    gpu?._tag === 'absent' ? `WebGPU: ${gpu.reason.replace(/^kanc model: /, '')}` : '',
  );
};

const gpuCards = (gpu: GpuResult | undefined): ReadonlyArray<HTMLElement> =>
  gpu?._tag === 'measured'
    ? [card('gpu', 'One sample on WebGPU', micro(gpu.single), `${micro(gpu.batch)} each, 256 at a time`)]
    : [];

/** The three steps that took the longest. */
const longest = ({ timings }: Compiled): string =>
  [...timings]
    .sort((a, b) => b.milliseconds - a.milliseconds)
    .slice(0, 3)
    .map(({ step, milliseconds }) => `${step.replace(/[()]/g, '')} ${milli(milliseconds)}`)
    .join(', ');

export const showResults = (results: Results): void => {
  const { compiled, gpu } = results;
  const section = byId('results', HTMLElement);
  section.hidden = false;
  section.classList.remove('stale');
  byId('cards', HTMLElement).replaceChildren(
    qualityCard(results),
    card('size', 'model.wasm', bytes(compiled.wasmBytes), `${bytes(compiled.tableBytes)} of them tables`),
    timeCard(results),
    card('compile', 'Compiled in', milli(compiled.milliseconds), longest(compiled)),
    ...gpuCards(gpu),
  );
};

/** What passes noted: warnings open, notes behind a click. */
export const showRemarks = ({ remarks, pipeline }: Compiled): void => {
  byId('notes', HTMLElement).hidden = false;
  const list = (severity: 'note' | 'warning'): HTMLElement =>
    make(
      'ul',
      { class: severity },
      ...remarks.filter((r) => r.severity === severity).map(({ text }) => make('li', {}, text)),
    );
  const warnings = remarks.some(({ severity }) => severity === 'warning');
  byId('remarks', HTMLElement).replaceChildren(
    ...(warnings ? [list('warning')] : [make('p', { class: 'hint' }, 'No warnings.')]),
    make(
      'details',
      { class: 'more' },
      make('summary', {}, 'Notes of passes, and the pipeline'),
      list('note'),
      make('code', { class: 'pipeline' }, pipeline),
    ),
  );
};
