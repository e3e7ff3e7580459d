/** Artifacts for every target that the compiler has. */
import type { TargetFacts } from '../shared/protocol.js';
import { byId, make } from './dom.js';

export interface DownloadPanel {
  readonly offer: (targets: ReadonlyArray<TargetFacts>) => void;
}

const save = (name: string, content: Uint8Array<ArrayBuffer>): void => {
  const url = URL.createObjectURL(new Blob([content], { type: 'application/zip' }));
  make('a', { href: url, download: name }).click();
  // The download has begun by then, whatever the browser.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
};

/** `pack` gives the zip file of some targets; what it rejects with is shown beside the button. */
export const downloadPanel = (
  pack: (targets: ReadonlyArray<string>) => Promise<Uint8Array<ArrayBuffer>>,
): DownloadPanel => {
  const copy = byId('copy', HTMLButtonElement);
  copy.addEventListener('click', () => {
    void navigator.clipboard.writeText(byId('command', HTMLElement).textContent ?? '').then(
      () => {
        copy.textContent = 'Copied';
        setTimeout(() => {
          copy.textContent = 'Copy';
        }, 1500);
      },
      () => {},
    );
  });

  const row = (title: string, about: string, names: ReadonlyArray<string>, file: string): HTMLElement => {
    const button = make('button', { type: 'button', 'data-target': names.join('+') }, title);
    const said = make('span', { class: 'hint', role: 'status' }, about);
    button.addEventListener('click', () => {
      button.disabled = true;
      said.textContent = 'packing ...';
      said.classList.remove('refused');
      pack(names)
        .then((zip) => {
          save(file, zip);
          said.textContent = about;
        })
        .catch((error: unknown) => {
          said.textContent = error instanceof Error ? error.message : String(error);
          said.classList.add('refused');
        })
        .finally(() => {
          button.disabled = false;
        });
    });
    return make('div', { class: 'target' }, button, said);
  };

  return {
    offer: (targets) => {
      byId('targets', HTMLElement).replaceChildren(
        ...targets.map(({ name, summary }) => row(name, summary, [name], `kanc-${name}.zip`)),
        row(
          'all',
          'a folder for each target',
          targets.map(({ name }) => name),
          'kanc-all.zip',
        ),
      );
    },
  };
};
