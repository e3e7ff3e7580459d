/** Everything that was tried: numbers of each, and how good it is in one number that can be drawn. */
import type { Compiled, Score, Settings } from '../shared/protocol.js';
import { knobsOf } from '../shared/quant.js';
import { byId, make } from './dom.js';
import { bytes, micro, number, percent } from './format.js';

/** What a compiled program is judged by, the same for all of a project. */
export interface Quality {
  readonly label: string;
  readonly value: number;
  readonly text: string;
  readonly higherIsBetter: boolean;
}

export const qualityOfScore = (score: Score): Quality | undefined => {
  if (score._tag === 'accuracy') {
    return {
      label: 'accuracy, %',
      value: 100 * score.share,
      text: percent(score.share),
      higherIsBetter: true,
    };
  }
  return score._tag === 'rmse'
    ? { label: 'RMS error', value: score.rmse, text: number(score.rmse), higherIsBetter: false }
    : undefined;
};

/** By labels, else by how often the float network says the same, else by the error; undefined without any data. */
export const qualityOf = ({ score, divergence }: Compiled): Quality | undefined => {
  const byLabels = qualityOfScore(score);
  if (byLabels !== undefined || divergence === undefined) return byLabels;
  const { argmaxAgreement, relativeRms } = divergence;
  return argmaxAgreement === undefined
    ? {
        label: 'relative error, %',
        value: 100 * relativeRms,
        text: percent(relativeRms),
        higherIsBetter: false,
      }
    : {
        label: 'agrees with the float network, %',
        value: 100 * argmaxAgreement,
        text: percent(argmaxAgreement, 1),
        higherIsBetter: true,
      };
};

export interface Entry {
  readonly settings: Settings;
  readonly name: string;
  readonly size: number;
  readonly microseconds: number;
  readonly quality: Quality | undefined;
}

const SHORT = { act: 'in', hidden: 'hidden', table: 'table', coef: 'coef', basis: 'basis' } as const;

export const nameOf = (settings: Settings): string =>
  `${settings.form}: ${knobsOf(settings.form)
    .map((knob) => `${SHORT[knob]} ${settings.bits[knob]}`)
    .join(', ')}`;

export const entryOf = (settings: Settings, compiled: Compiled): Entry => ({
  settings,
  name: nameOf(settings),
  size: compiled.wasmBytes,
  microseconds: compiled.microseconds,
  quality: qualityOf(compiled),
});

/** The same settings again replace what was measured before. */
export const withEntry = (entries: ReadonlyArray<Entry>, entry: Entry): ReadonlyArray<Entry> => [
  ...entries.filter(({ name }) => name !== entry.name),
  entry,
];

/** Those that no other one beats in size and quality both, from small to large. */
export const paretoOf = (entries: ReadonlyArray<Entry>): ReadonlyArray<Entry> => {
  const sign = entries[0]?.quality?.higherIsBetter === false ? -1 : 1;
  const worth = (e: Entry): number => sign * (e.quality?.value ?? Number.NEGATIVE_INFINITY);
  let best = Number.NEGATIVE_INFINITY;
  return [...entries]
    .sort((a, b) => a.size - b.size || worth(b) - worth(a))
    .filter((entry) => {
      if (worth(entry) <= best) return false;
      best = worth(entry);
      return true;
    });
};

/** The table beside the plot, for those who do not see it; its buttons go back to settings. */
export const showHistory = (
  entries: ReadonlyArray<Entry>,
  current: string,
  onChoose: (settings: Settings) => void,
): void => {
  const rows = [...entries].reverse().map((entry) => {
    const button = make('button', { type: 'button', class: 'link' }, entry.name);
    button.addEventListener('click', () => onChoose(entry.settings));
    return make(
      'tr',
      entry.name === current ? { 'aria-current': 'true' } : {},
      make('th', { scope: 'row' }, button),
      make('td', {}, entry.quality?.text ?? '-'),
      make('td', {}, bytes(entry.size)),
      make('td', {}, micro(entry.microseconds)),
    );
  });
  const head = [
    'Settings',
    entries[0]?.quality?.label.replace(', %', '') ?? 'quality',
    'model.wasm',
    'one sample',
  ];
  byId('history', HTMLTableElement).replaceChildren(
    make('thead', {}, make('tr', {}, ...head.map((text) => make('th', { scope: 'col' }, text)))),
    make('tbody', {}, ...rows),
  );
};
