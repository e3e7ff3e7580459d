/** The keyboard: one table of keys, which is what they do and what help says of them. */
import { h } from './dom.js';

export interface Key {
  readonly key: string;
  readonly about: string;
  readonly run: () => void;
}

/** Whether a key belongs to what has the focus: fields, dialogs and the text are typed in. */
const isTaken = (event: KeyboardEvent): boolean => {
  const { target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey) return true;
  if (document.querySelector('dialog[open]') !== null) return true;
  return target instanceof HTMLElement && target.matches('input:not([type=checkbox]), textarea, select');
};

export const startKeys = (keys: ReadonlyArray<Key>): void => {
  document.addEventListener('keydown', (event) => {
    if (isTaken(event)) return;
    const found = keys.find(({ key }) => key === event.key);
    if (found === undefined) return;
    event.preventDefault();
    found.run();
  });
};

const FIXED: ReadonlyArray<readonly [string, string]> = [
  ['Tab, Enter', 'move between ops and choose one'],
  ['arrows, Page Up, Page Down, Home, End', 'move between edges'],
  ['F12, Enter', 'in the text: to the definition of a name'],
  ['Ctrl F', 'in the text: find'],
  ['Esc', 'close'],
];

export const openHelp = (keys: ReadonlyArray<Key>): void => {
  const rows = [...keys.map(({ key, about }) => [key, about] as const), ...FIXED];
  const dialog = h(
    'dialog',
    { class: 'help', 'aria-label': 'Keys' },
    h('h2', {}, 'Keys'),
    h(
      'dl',
      {},
      ...rows.flatMap(([key, about]) => [
        h('dt', {}, ...key.split(', ').map((k) => h('kbd', {}, k))),
        h('dd', {}, about),
      ]),
    ),
    h('form', { method: 'dialog' }, h('button', {}, 'Close')),
  );
  dialog.addEventListener('close', () => dialog.remove());
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
};
