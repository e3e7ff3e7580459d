/** The page: what happens when, in one place. Panels know nothing of each other. */
import type {
  Compiled,
  GpuResult,
  NamedFile,
  Opened,
  Project,
  Reference,
  Settings,
} from '../shared/protocol.js';
import { commandOf } from './command.js';
import { startCompiler } from './compiler.js';
import { byId, debounced } from './dom.js';
import { downloadPanel } from './download-panel.js';
import { merged } from './dropped.js';
import { EIGHT_BITS, type Example, fetchExample } from './examples.js';
import { type Entry, entryOf, nameOf, qualityOfScore, showHistory, withEntry } from './history.js';
import { networkPanel } from './network-panel.js';
import { readingForm } from './reading-form.js';
import { showRemarks, showResults } from './results-panel.js';
import { settingsPanel } from './settings-panel.js';
import { startTheme } from './theme.js';
import { tryPanel } from './try-panel.js';

/** Long enough that a slider under way does not start anything. */
const REST_MS = 140;

/** What is known about the project that is open. */
interface Session {
  readonly project: Project;
  readonly opened: Opened;
  readonly settings: Settings;
  readonly entries: ReadonlyArray<Entry>;
  readonly compiled: Compiled | undefined;
  readonly reference: Reference | undefined;
  readonly gpu: GpuResult | undefined;
}

let session: Session | undefined;
let projects = 0;
/** Files that were dropped so far: data may come after the checkpoint. */
let dropped: ReadonlyArray<NamedFile> = [];

const change = (parts: Partial<Session>): void => {
  if (session !== undefined) session = { ...session, ...parts };
};

const errorBox = byId('error', HTMLElement);
const working = byId('working', HTMLElement);

const showError = (text: string): void => {
  errorBox.textContent = text;
  errorBox.hidden = text === '';
  if (text !== '') showWork(undefined);
};

const showWork = (text: string | undefined, share?: number): void => {
  working.hidden = text === undefined;
  document.body.dataset['state'] = text === undefined ? 'idle' : 'busy';
  byId('working-text', HTMLElement).textContent = text ?? '';
  const bar = byId('working-bar', HTMLProgressElement);
  if (share === undefined) bar.removeAttribute('value');
  else bar.value = share;
};

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const choose = (settings: Settings): void => {
  panels.settings.set(settings);
  ask(settings);
};

const showPlot = async (): Promise<void> => {
  if (session === undefined) return;
  const { entries, settings, reference } = session;
  const current = nameOf(settings);
  showHistory(entries, current, choose);
  const box = byId('chart', HTMLElement);
  const { drawChart } = await import('./chart.js');
  const drawn = drawChart(
    {
      entries,
      current,
      reference: reference === undefined ? undefined : qualityOfScore(reference.score)?.value,
      width: Math.max(280, box.clientWidth),
    },
    choose,
  );
  box.classList.toggle('drawn', drawn !== undefined);
  box.replaceChildren(drawn ?? 'Nothing is measured without inputs, so there is nothing to draw.');
};

const show = (): void => {
  if (session?.compiled === undefined) return;
  const { compiled, reference, gpu } = session;
  showResults({ compiled, reference, gpu });
  void showPlot();
};

const compile = (): void => {
  if (session === undefined) return;
  const { project, settings, reference, gpu, opened } = session;
  showError('');
  byId('results', HTMLElement).classList.add('stale');
  byId('command', HTMLElement).textContent = commandOf(
    project,
    opened.roles,
    settings,
    opened.description.level,
  );
  showWork('reading the checkpoint ...', 0);
  compiler.compile(
    { project, settings, wantsReference: reference === undefined, wantsGpu: gpu?._tag !== 'absent' },
    {
      progress: ({ step, done, of }) =>
        showWork(`compiling: ${step} done, ${done} of ${of} steps`, done / of),
      compiled: (compiled) => {
        change({ compiled, entries: withEntry(session?.entries ?? [], entryOf(settings, compiled)) });
        showWork('measuring ...');
        for (const id of ['pair', 'downloads']) byId(id, HTMLElement).hidden = false;
        showRemarks(compiled);
        show();
        panels.tries.use(compiled).catch((error: unknown) => showError(textOf(error)));
      },
      reference: (measured) => {
        change({ reference: measured });
        show();
      },
      gpu: (measured) => {
        change({ gpu: measured });
        show();
      },
      done: () => showWork(undefined),
      failed: showError,
    },
  );
};

const compileSoon = debounced(compile, REST_MS);

const ask = (settings: Settings): void => {
  change({ settings });
  compileSoon();
};

/** Bytes are pixels; nothing else makes sense of them for a float network. */
const withBytes = (project: Project, { description, samples }: Opened): Project =>
  description.level === 'float' && samples?.data instanceof Uint8Array
    ? { ...project, reading: { inputDtype: 'u8', ...project.reading } }
    : project;

const open = async (
  given: Project,
  settings: Settings,
  title?: string,
  classes?: ReadonlyArray<string>,
): Promise<void> => {
  showError('');
  showWork('reading the checkpoint ...');
  byId('results', HTMLElement).classList.add('stale');
  try {
    const opened = await compiler.open(given);
    const project = withBytes(given, opened);
    pending = undefined;
    session = {
      project,
      opened,
      settings,
      entries: [],
      compiled: undefined,
      reference: undefined,
      gpu: undefined,
    };
    byId('welcome', HTMLElement).hidden = true;
    panels.network.show(project, opened, title);
    panels.reading.show(project.reading);
    panels.settings.show(opened.description, settings);
    // Of integers there is one program, with nothing to try.
    byId('tried', HTMLElement).hidden = opened.description.level !== 'float';
    panels.tries.open(opened, classes);
    compile();
  } catch (error) {
    showError(textOf(error));
    // The options of reading may be what is missing.
    panels.reading.show(given.reading);
    pending = { project: given, settings };
    byId('reading', HTMLDetailsElement).open = true;
  }
};

/** A project that could not be read: other options may make it readable. */
let pending: { readonly project: Project; readonly settings: Settings } | undefined;

const openExample = async (example: Example): Promise<void> => {
  panels.network.mark(example.id);
  dropped = [];
  showError('');
  showWork('loading the example ...');
  try {
    const { files, roles } = await fetchExample(example);
    const project = { id: projects++, files, roles, reading: example.reading };
    await open(project, example.settings, example.title, example.classes);
  } catch (error) {
    showError(textOf(error));
  }
};

/** Data and descriptions of a network that came before; anything else is another network. */
const isAddition = ({ name }: NamedFile): boolean =>
  /\.np[yz]$/i.test(name) || (/\.json$/i.test(name) && !/^(?:config|truth_tables)\.json$/.test(name));

const openFiles = async (files: ReadonlyArray<NamedFile>): Promise<void> => {
  panels.network.mark(undefined);
  const adds = dropped.length > 0 && files.every(isAddition);
  dropped = adds ? merged(dropped, files) : files;
  const before = pending?.project ?? session?.project;
  const reading = adds && before !== undefined ? before.reading : {};
  await open({ id: projects++, files: dropped, reading }, EIGHT_BITS);
};

const again = (parts: Partial<Project>): void => {
  const base = pending ?? session;
  if (base === undefined) return;
  pending = undefined;
  void open({ ...base.project, ...parts, id: projects++ }, base.settings);
};

const panels = {
  network: networkPanel({
    onExample: (example) => void openExample(example),
    onFiles: (files) => void openFiles(files),
    onRole: (name, role) => again({ roles: { ...session?.opened.roles, [name]: role } }),
  }),
  settings: settingsPanel(ask),
  reading: readingForm((reading) => again({ reading })),
  tries: tryPanel(),
  downloads: downloadPanel((targets) =>
    session === undefined
      ? Promise.reject(new Error('Nothing is compiled yet.'))
      : compiler.pack(session.project, session.settings, targets),
  ),
};

const compiler = startCompiler((targets) => panels.downloads.offer(targets));

startTheme();
addEventListener(
  'resize',
  debounced(() => void showPlot(), 150),
);
document.body.dataset['state'] = 'idle';

// Pages from a disk have no service worker; everything else works there too as far as the browser lets it.
if ('serviceWorker' in navigator && location.protocol.startsWith('http')) {
  navigator.serviceWorker.register('service-worker.js').catch(() => {});
}
