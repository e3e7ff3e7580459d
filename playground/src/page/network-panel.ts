/** The network: examples, files, what was read, and what each file is for. */
import type { NamedFile, Opened, Project, Role } from '../shared/protocol.js';
import { ROLES } from '../shared/protocol.js';
import { byId, fact, make } from './dom.js';
import { droppedFiles } from './dropped.js';
import { EXAMPLES, type Example } from './examples.js';
import { bytes, count } from './format.js';

const ROLE_TEXT: Readonly<Record<Role, string>> = {
  checkpoint: 'checkpoint',
  beside: 'belongs to it',
  architecture: 'architecture',
  calibration: 'calibration',
  inputs: 'test inputs',
  labels: 'test labels',
  unused: 'not used',
};

const isRole = (text: string): text is Role => ROLES.some((role) => role === text);

export interface NetworkEvents {
  readonly onExample: (example: Example) => void;
  readonly onFiles: (files: ReadonlyArray<NamedFile>) => void;
  readonly onRole: (name: string, role: Role) => void;
}

export interface NetworkPanel {
  readonly show: (project: Project, opened: Opened, title: string | undefined) => void;
  /** Marks the example that is chosen; none where files were dropped. */
  readonly mark: (id: string | undefined) => void;
}

const layersOf = ({ description }: Opened): string => {
  const kan = description.ops.filter(({ op }) => op === 'kan' || op.startsWith('table.'));
  const shape = (dims: ReadonlyArray<number>): string => dims.join('×');
  const [first] = kan;
  return first === undefined
    ? '-'
    : [shape(first.inputShape), ...kan.map((op) => shape(op.outputShape))].join(' → ');
};

const filesTable = (project: Project, opened: Opened, onRole: NetworkEvents['onRole']): HTMLElement => {
  const rows = project.files.map(({ name, content }) => {
    const select = make('select', { 'aria-label': `What ${name} is for` });
    for (const role of ROLES) {
      select.append(make('option', { value: role, selected: opened.roles[name] === role }, ROLE_TEXT[role]));
    }
    select.addEventListener('change', () => {
      if (isRole(select.value)) onRole(name, select.value);
    });
    return make(
      'tr',
      {},
      make('th', { scope: 'row', title: name }, name),
      make('td', { class: 'size' }, bytes(content.size)),
      make('td', {}, select),
    );
  });
  return make(
    'details',
    { class: 'more' },
    make('summary', {}, `${count(rows.length, 'file')}, and what each is for`),
    make('table', { class: 'files' }, make('caption', {}, 'Files'), make('tbody', {}, ...rows)),
  );
};

export const networkPanel = ({ onExample, onFiles, onRole }: NetworkEvents): NetworkPanel => {
  const buttons = EXAMPLES.map((example) => {
    const button = make(
      'button',
      { type: 'button', 'aria-pressed': 'false', 'data-example': example.id },
      make('strong', {}, example.title),
      make('span', {}, example.about),
    );
    button.addEventListener('click', () => onExample(example));
    return { id: example.id, button };
  });
  byId('examples', HTMLElement).append(...buttons.map(({ button }) => button));

  const input = byId('files', HTMLInputElement);
  input.addEventListener('change', () => {
    const files = [...(input.files ?? [])].map((file) => ({ name: file.name, content: file }));
    if (files.length > 0) onFiles(files);
    // The same file again is a change too.
    input.value = '';
  });

  // The whole page takes files, so that one that misses the box does not replace the page.
  const drop = byId('drop', HTMLElement);
  let depth = 0;
  const highlight = (change: number): void => {
    depth = Math.max(0, depth + change);
    drop.classList.toggle('over', depth > 0);
  };
  document.addEventListener('dragenter', () => highlight(1));
  document.addEventListener('dragleave', () => highlight(-1));
  document.addEventListener('dragover', (event) => event.preventDefault());
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    highlight(-depth);
    if (event.dataTransfer === null) return;
    void droppedFiles(event.dataTransfer).then((files) => {
      if (files.length > 0) onFiles(files);
    });
  });

  const loaded = byId('loaded', HTMLElement);
  return {
    mark: (id) => {
      for (const { id: own, button } of buttons) button.setAttribute('aria-pressed', String(own === id));
    },
    show: (project, opened, title) => {
      const { description } = opened;
      loaded.hidden = false;
      document.body.classList.add('opened');
      loaded.replaceChildren(
        make(
          'dl',
          { class: 'facts' },
          ...(title === undefined ? [] : [fact('network', title)]),
          fact('family', `${description.family}, ${description.format}`),
          fact('layers', layersOf(opened)),
          fact('stores', count(description.parameters, 'number')),
          ...description.assumptions.map(({ what, assumed }) => fact('assumed', `${what}: ${assumed}`)),
        ),
        filesTable(project, opened, onRole),
        ...opened.notes.map((note) => make('p', { class: 'hint' }, note)),
      );
    },
  };
};
