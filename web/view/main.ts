/** The page of `kanc view`: reads its model, makes the views, and tells them what is looked at. */
import type { ViewModel } from '../../src/view/model.js';
import { costsPanel } from './costs.js';
import { button, h, reveal } from './dom.js';
import { edgesPanel } from './edges.js';
import { graphPanel } from './graph.js';
import { type Key, openHelp, startKeys } from './keys.js';
import { opDetails } from './op-details.js';
import { passList, stepHead, visibleSteps } from './passes.js';
import { readModel } from './read-model.js';
import { openSearch } from './search.js';
import { type State, type Store, store, TAB_TITLES, TABS, type Tab } from './store.js';
import { summary } from './summary.js';
import { tablesPanel } from './tables.js';
import { textPanel } from './text.js';
import { startTheme } from './theme.js';

interface Panel {
  readonly element: HTMLElement;
  readonly update: (now: State, before: State | undefined) => void;
  readonly redraw?: () => void;
}

const passesPanel = (model: ViewModel, view: Store): Panel => {
  const list = h('div', { class: 'list-host' });
  const head = h('div', {});
  const details = h('div', { class: 'details-host' });
  const graph = graphPanel(model, view);
  const text = textPanel(model, view);
  const element = h(
    'div',
    { class: 'passes-tab' },
    list,
    h('div', { class: 'middle' }, head, graph.element, details),
    text.element,
  );
  return {
    element,
    update: (now, before) => {
      if (now.tab !== 'passes') return;
      const step = model.steps[now.step];
      if (before === undefined || now.step !== before.step || now.showUnchanged !== before.showUnchanged) {
        const top = list.firstElementChild?.scrollTop ?? 0;
        list.replaceChildren(passList(model, view));
        list.firstElementChild?.scrollTo({ top });
        const current = list.querySelector('[aria-current]');
        // Of wide windows the whole list scrolls, of narrow ones the passes in it.
        for (const box of list.querySelectorAll('.passes, .passes ol')) {
          if (current !== null && getComputedStyle(box).overflowY === 'auto') reveal(box, current);
        }
      }
      if (step !== undefined && now.step !== before?.step) head.replaceChildren(stepHead(model, step));
      // Before the graph, which scrolls to the chosen op and must know how much of it is seen.
      details.replaceChildren(opDetails(model, now, view));
      graph.update(now, before);
      text.update(now, before);
    },
  };
};

/** Where to begin among the tables: most of the program is in one of them. */
const largestTable = ({ tables }: ViewModel): number =>
  tables.reduce((best, { bytes }, k) => (bytes > (tables[best]?.bytes ?? 0) ? k : best), 0);

const start = (model: ViewModel, app: HTMLElement): void => {
  // The first pass that did something: the graph as it came has nothing to compare with.
  const changing = visibleSteps(model, false);
  const view = store({
    tab: 'passes',
    step: changing[changing.length > 1 ? 1 : 0] ?? 0,
    op: undefined,
    mode: 'diff',
    showUnchanged: false,
    layer: 0,
    edge: undefined,
    table: largestTable(model),
  });
  const panels: Readonly<Record<Tab, Panel>> = {
    passes: passesPanel(model, view),
    edges: edgesPanel(model, view),
    tables: tablesPanel(model, view),
    costs: costsPanel(model),
  };
  const theme = startTheme(() => panels[view.get().tab].redraw?.());
  const stepBy = (by: number): void => {
    const { step, showUnchanged } = view.get();
    const visible = visibleSteps(model, showUnchanged);
    const at = Math.max(0, visible.indexOf(step));
    const next = visible[Math.max(0, Math.min(visible.length - 1, at + by))];
    if (next !== undefined) view.set({ tab: 'passes', step: next, op: undefined });
  };
  const keys: ReadonlyArray<Key> = [
    { key: 'j', about: 'next pass', run: () => stepBy(1) },
    { key: 'k', about: 'pass before', run: () => stepBy(-1) },
    {
      key: 'u',
      about: 'show or hide passes without effect',
      run: () => view.set({ tab: 'passes', showUnchanged: !view.get().showUnchanged }),
    },
    ...TABS.map((tab, k) => ({ key: String(k + 1), about: TAB_TITLES[tab], run: () => view.set({ tab }) })),
    { key: '/', about: 'search', run: () => openSearch(model, view) },
    { key: 't', about: 'light or dark', run: () => theme.toggle() },
    { key: '?', about: 'this help', run: () => openHelp(keys) },
  ];
  const tabs = h(
    'div',
    {
      class: 'tabs',
      role: 'tablist',
      'aria-label': 'Views',
      onkeydown: (event) => {
        if (!(event instanceof KeyboardEvent)) return;
        const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        const next =
          by === undefined ? undefined : TABS.at((TABS.indexOf(view.get().tab) + by) % TABS.length);
        if (next === undefined) return;
        event.preventDefault();
        view.set({ tab: next });
        document.getElementById(`tab-${next}`)?.focus();
      },
    },
    ...TABS.map((tab) =>
      h(
        'button',
        {
          type: 'button',
          role: 'tab',
          id: `tab-${tab}`,
          'aria-controls': `panel-${tab}`,
          onclick: () => view.set({ tab }),
        },
        TAB_TITLES[tab],
      ),
    ),
  );
  for (const tab of TABS) {
    const { element } = panels[tab];
    element.id = `panel-${tab}`;
    element.setAttribute('role', 'tabpanel');
    element.setAttribute('aria-labelledby', `tab-${tab}`);
  }
  const main = h('main', {});
  app.replaceChildren(
    h(
      'header',
      { class: 'top' },
      h(
        'h1',
        {},
        h('span', { class: 'brand' }, 'kanc view'),
        model.name,
        ...(model.file === model.name ? [] : [h('span', { class: 'quiet' }, ` ${model.file}`)]),
      ),
      tabs,
      h('span', { class: 'grow' }),
      button('Search', 'Search (/)', () => openSearch(model, view), { class: 'search-button' }),
      button('?', 'Keys (?)', () => openHelp(keys)),
      button('\u25d0', 'Light or dark (t)', () => theme.toggle(), { id: 'theme' }),
    ),
    summary(model),
    main,
  );
  /** What each panel was last told: it may have missed changes while another was seen. */
  const seen: Partial<Record<Tab, State>> = {};
  const update = (now: State, before: State | undefined): void => {
    if (now.tab !== before?.tab) {
      main.replaceChildren(panels[now.tab].element);
      for (const tab of TABS)
        tabs.querySelector(`#tab-${tab}`)?.setAttribute('aria-selected', String(tab === now.tab));
    }
    const told = seen[now.tab];
    panels[now.tab].update(now, told === undefined ? undefined : { ...told, tab: before?.tab ?? now.tab });
    seen[now.tab] = view.get();
  };
  view.subscribe(update);
  startKeys(keys);
  update(view.get(), undefined);
  document.body.dataset['ready'] = 'true';
};

const app = document.getElementById('app');
const model = readModel();
if (app !== null) {
  if (model === undefined) app.textContent = 'The model in this page cannot be read.';
  else start(model, app);
}
