/** `/`: goes to a pass, an op, a layer or a table by a part of its name. */
import type { ViewModel } from '../../src/view/model.js';
import { h } from './dom.js';
import { shownNodes } from './graph.js';
import type { Store } from './store.js';

interface Target {
  readonly kind: string;
  readonly name: string;
  readonly about: string;
  readonly go: () => void;
}

const targetsOf = (model: ViewModel, store: Store): ReadonlyArray<Target> => [
  ...model.steps.map((step, k) => ({
    kind: 'pass',
    name: step.name,
    about: step.summary,
    go: () =>
      store.set({
        tab: 'passes',
        step: k,
        op: undefined,
        showUnchanged: store.get().showUnchanged || !step.changed,
      }),
  })),
  ...shownNodes(model, { ...store.get(), mode: 'diff' })
    .filter(({ op }) => op !== 'return')
    .map((node) => ({
      kind: 'op',
      name: `%${node.name}`,
      about: `${node.op} ${node.type}`,
      go: () => store.set({ tab: 'passes', mode: 'diff', op: node.name }),
    })),
  ...model.layers.map((layer, k) => ({
    kind: 'edges',
    name: layer.name,
    about: `${layer.inputs} x ${layer.outputs} edges`,
    go: () => store.set({ tab: 'edges', layer: k, edge: undefined }),
  })),
  ...model.tables.map((table, k) => ({
    kind: 'table',
    name: `%${table.op} ${table.attr}`,
    about: table.type,
    go: () => store.set({ tab: 'tables', table: k }),
  })),
];

const MOST = 40;

export const openSearch = (model: ViewModel, store: Store): void => {
  const targets = targetsOf(model, store);
  const input = h('input', {
    type: 'search',
    placeholder: 'pass, op, layer or table',
    'aria-label': 'Search',
    role: 'combobox',
    'aria-expanded': 'true',
    'aria-controls': 'found',
    autocomplete: 'off',
    spellcheck: 'false',
  });
  const list = h('ul', { id: 'found', role: 'listbox', 'aria-label': 'Found' });
  const dialog = h('dialog', { class: 'search', 'aria-label': 'Search' }, input, list);
  let found: ReadonlyArray<Target> = [];
  let at = 0;

  const close = (): void => {
    dialog.close();
    dialog.remove();
  };
  const take = (target: Target | undefined): void => {
    if (target === undefined) return;
    close();
    target.go();
  };
  const draw = (): void => {
    list.replaceChildren(
      ...found.map((target, k) =>
        h(
          'li',
          {
            role: 'option',
            id: `found-${k}`,
            'aria-selected': String(k === at),
            onclick: () => take(target),
          },
          h('span', { class: 'kind' }, target.kind),
          h('b', {}, target.name),
          h('span', { class: 'quiet' }, target.about),
        ),
      ),
    );
    input.setAttribute('aria-activedescendant', `found-${at}`);
    list.children[at]?.scrollIntoView({ block: 'nearest' });
  };
  const look = (): void => {
    const words = input.value.toLowerCase().split(/\s+/);
    found = targets
      .filter(({ kind, name, about }) => {
        const text = `${kind} ${name} ${about}`.toLowerCase();
        return words.every((word) => text.includes(word));
      })
      .slice(0, MOST);
    at = 0;
    draw();
  };
  input.addEventListener('input', look);
  input.addEventListener('keydown', (event) => {
    const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (by !== 0) {
      event.preventDefault();
      at = Math.max(0, Math.min(found.length - 1, at + by));
      draw();
    }
    if (event.key === 'Enter') {
      event.preventDefault();
      take(found[at]);
    }
  });
  dialog.addEventListener('close', () => dialog.remove());
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) close();
  });
  document.body.append(dialog);
  dialog.showModal();
  look();
  input.focus();
};
