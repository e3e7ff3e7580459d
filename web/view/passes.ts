/** The pipeline as a list: what every pass took, what it changed, how good the graph is behind it. */
import type { StepView, ViewModel } from '../../src/view/model.js';
import { button, h } from './dom.js';
import { shorten, showBytes, showCount, showPercent, showTime, showValue } from './format.js';
import { isCompared, referenceOf } from './reference.js';
import type { Store } from './store.js';

/** Steps that the list shows: those that changed something, or all. */
export const visibleSteps = (model: ViewModel, showUnchanged: boolean): ReadonlyArray<number> =>
  model.steps.flatMap((step, k) => (step.changed || showUnchanged ? [k] : []));

const chip = (kind: string, sign: string, count: number, word: string): HTMLElement | undefined =>
  count === 0
    ? undefined
    : h('span', { class: `chip ${kind}`, title: `${count} ops ${word}` }, `${sign}${count}`);

const chips = ({ counts, changed }: StepView, first: boolean): HTMLElement =>
  h(
    'span',
    { class: 'chips' },
    ...(first || !changed
      ? [h('span', { class: 'quiet' }, first ? '' : 'no change')]
      : [
          chip('added', '+', counts.added, 'added'),
          chip('removed', '\u2212', counts.removed, 'removed'),
          chip('changed', '~', counts.changed, 'changed'),
        ]),
  );

/** The figure that tells most: accuracy, error, or how far the outputs are from those compared with. */
export const qualityText = (model: ViewModel, { quality }: StepView): string => {
  if (quality === undefined) return '';
  if (quality.accuracy !== undefined) return showPercent(quality.accuracy);
  if (quality.rmse !== undefined) return `RMSE ${showValue(quality.rmse)}`;
  if (!isCompared(model)) return '';
  return quality.divergence === 0 ? 'exact' : `off by ${showPercent(quality.divergence)}`;
};

const item = (model: ViewModel, step: StepView, k: number, store: Store): HTMLElement => {
  const most = Math.max(1, ...model.steps.map(({ bytes }) => bytes));
  const time = step.milliseconds === undefined ? '' : showTime(step.milliseconds);
  return h(
    'li',
    { role: 'presentation' },
    h(
      'button',
      {
        type: 'button',
        class: `step${step.changed ? '' : ' unchanged'}`,
        'data-step': k,
        'aria-current': k === store.get().step ? 'step' : undefined,
        title: step.summary,
        onclick: () => store.set({ step: k, op: undefined }),
      },
      h(
        'span',
        { class: 'row' },
        h('b', {}, step.name),
        h('span', { class: 'level' }, step.level),
        h('span', { class: 'time' }, time),
      ),
      h(
        'span',
        { class: 'row figures' },
        chips(step, k === 0),
        h('span', { class: 'size' }, showBytes(step.bytes)),
      ),
      h(
        'span',
        { class: 'bar', 'aria-hidden': 'true' },
        h('i', { style: `width:${(100 * step.bytes) / most}%` }),
      ),
      h(
        'span',
        { class: 'row quality' },
        h('span', {}, qualityText(model, step)),
        h('span', {}, `${step.ops} ops`),
      ),
    ),
  );
};

export const passList = (model: ViewModel, store: Store): HTMLElement => {
  const state = store.get();
  const visible = visibleSteps(model, state.showUnchanged);
  const hidden = model.steps.length - visibleSteps(model, false).length;
  return h(
    'nav',
    { class: 'passes', 'aria-label': 'Pipeline' },
    h(
      'div',
      { class: 'head' },
      h('h2', {}, 'Pipeline'),
      ...(hidden === 0
        ? []
        : [
            h(
              'label',
              { class: 'toggle' },
              h('input', {
                type: 'checkbox',
                id: 'show-unchanged',
                checked: state.showUnchanged,
                onchange: () => store.set({ showUnchanged: !store.get().showUnchanged }),
              }),
              ` ${hidden} without effect`,
            ),
          ]),
    ),
    h(
      'ol',
      {},
      ...visible.flatMap((k) => {
        const step = model.steps[k];
        return step === undefined ? [] : [item(model, step, k, store)];
      }),
    ),
    ...(model.pipeline === '' ? [] : [pipelineText(model)]),
  );
};

const pipelineText = ({ pipeline }: ViewModel): HTMLElement => {
  const copy = button('Copy', 'Copy the pipeline', () => {
    const done = (): void => {
      copy.textContent = 'Copied';
      setTimeout(() => {
        copy.textContent = 'Copy';
      }, 1500);
    };
    // Pages of files have a clipboard only in some browsers: the text can be selected in all of them.
    navigator.clipboard?.writeText(pipeline).then(done, () => getSelection()?.selectAllChildren(text));
  });
  const text = h(
    'code',
    { class: 'pipeline', id: 'pipeline' },
    pipeline.replace(/,(?=[a-z]+(?:\{|,|$))/g, ',\u200b'),
  );
  return h(
    'section',
    { class: 'pipeline-box' },
    h('div', { class: 'head' }, h('h3', {}, '--passes'), copy),
    text,
  );
};

/** What stands above the graph: the pass in words, with what it said. */
export const stepHead = (model: ViewModel, step: StepView): HTMLElement => {
  const { quality } = step;
  const compared = isCompared(model) ? quality : undefined;
  const off = referenceOf(model)?.isFloat === false ? 'off as it came by' : 'off float by';
  const figures: ReadonlyArray<readonly [string, string]> = [
    ...(step.milliseconds === undefined ? [] : [['time', showTime(step.milliseconds)] as const]),
    ['BitOps', showCount(step.bitOps)],
    ['constants', showBytes(step.bytes)],
    ...(quality?.accuracy === undefined ? [] : [['accuracy', showPercent(quality.accuracy)] as const]),
    ...(quality?.rmse === undefined ? [] : [['RMSE', showValue(quality.rmse)] as const]),
    ...(compared === undefined ? [] : [[off, showPercent(compared.divergence)] as const]),
    ...(compared?.agreement === undefined ? [] : [['same class', showPercent(compared.agreement)] as const]),
    ...(quality?.clippedInput === undefined && quality?.clippedHidden === undefined
      ? []
      : [
          [
            'clipped in / hidden',
            `${showPercent(quality.clippedInput ?? 0)} / ${showPercent(quality.clippedHidden ?? 0)}`,
          ] as const,
        ]),
  ];
  const warnings = step.remarks.filter((r) => r.severity === 'warning');
  const notes = step.remarks.filter((r) => r.severity === 'note');
  const said = [...warnings, ...notes].map((r) =>
    h('li', { class: r.severity }, r.op === undefined ? '' : h('code', {}, `%${r.op} `), r.message),
  );
  return h(
    'header',
    { class: 'step-head' },
    h('h2', {}, step.name, h('span', { class: 'call' }, shorten(step.call === step.name ? '' : step.call))),
    h('p', {}, step.summary),
    h('dl', { class: 'figures' }, ...figures.map(([k, v]) => h('div', {}, h('dt', {}, k), h('dd', {}, v)))),
    ...(said.length === 0
      ? []
      : [
          h(
            'details',
            { class: 'remarks', open: warnings.length > 0 },
            h('summary', {}, `${said.length} ${said.length === 1 ? 'remark' : 'remarks'} of the pass`),
            h('ul', {}, ...said),
          ),
        ]),
    ...(model.measured === undefined || quality !== undefined
      ? []
      : [h('p', { class: 'quiet' }, 'Not measured: the data are no input of this graph.')]),
  );
};
