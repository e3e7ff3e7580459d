/** The `.kir` text of a step, with ways from a name to its definition. CodeMirror draws the lines that are seen. */
import { search, searchKeymap } from '@codemirror/search';
import { EditorState, type Extension, RangeSetBuilder, StateEffect, StateField } from '@codemirror/state';
import {
  Decoration,
  type DecorationSet,
  drawSelection,
  EditorView,
  keymap,
  lineNumbers,
} from '@codemirror/view';
import type { Change, ViewModel } from '../../src/view/model.js';
import { h } from './dom.js';
import { kir } from './kir-language.js';
import type { State, Store } from './store.js';

const NAME = /[\w.]/;

/** The name, without its %, at a position of the text; undefined where there is none. */
export const nameAt = (text: string, at: number): string | undefined => {
  let from = at;
  while (from > 0 && NAME.test(text[from - 1] ?? '')) from--;
  if (text[from - 1] !== '%' && text[from] !== '%') return undefined;
  const start = text[from] === '%' ? from + 1 : from;
  let to = start;
  while (to < text.length && NAME.test(text[to] ?? '')) to++;
  return to > start ? text.slice(start, to) : undefined;
};

/** Where a value is defined: at the head of a line, or among the inputs. -1 where it is not. */
export const definitionOf = (text: string, name: string): number => {
  const pattern = new RegExp(`(?:^  |[(] ?|, )%${name.replace(/\./g, '\\.')} :`, 'm');
  const found = pattern.exec(text);
  return found === null ? -1 : found.index + found[0].indexOf('%');
};

const setMarks = StateEffect.define<DecorationSet>();

const marks = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update: (now, transaction) => {
    for (const effect of transaction.effects) if (effect.is(setMarks)) return effect.value;
    return now.map(transaction.changes);
  },
  provide: (field) => EditorView.decorations.from(field),
});

const nameMark = Decoration.mark({ class: 'cm-kir-name' });

/** Lines by what the pass did to them, the chosen line, and every name as something that can be clicked. */
const decorate = (
  state: EditorState,
  changes: ReadonlyMap<string, Change>,
  chosen: string | undefined,
): DecorationSet => {
  const builder = new RangeSetBuilder<Decoration>();
  for (let n = 1; n <= state.doc.lines; n++) {
    const line = state.doc.line(n);
    const defined = /^ {2}%([\w.]+) :/.exec(line.text)?.[1];
    const change = defined === undefined ? undefined : changes.get(defined);
    const classes = [
      ...(change === undefined || change === 'same' ? [] : [`cm-kir-${change}`]),
      ...(defined !== undefined && defined === chosen ? ['cm-kir-chosen'] : []),
    ];
    if (classes.length > 0) builder.add(line.from, line.from, Decoration.line({ class: classes.join(' ') }));
    for (const { index, 0: name } of line.text.matchAll(/%[A-Za-z_][\w.]*/g)) {
      builder.add(line.from + index, line.from + index + name.length, nameMark);
    }
  }
  return builder.finish();
};

export interface TextPanel {
  readonly element: HTMLElement;
  readonly update: (now: State, before: State | undefined) => void;
}

export const textPanel = (model: ViewModel, store: Store): TextPanel => {
  const host = h('div', { class: 'text-host' });
  const element = h(
    'section',
    { class: 'text-panel', 'aria-label': 'Text of the graph' },
    h(
      'div',
      { class: 'bar-top' },
      h('span', { class: 'quiet' }, 'model.kir'),
      h('span', { class: 'grow' }),
      h('span', { class: 'quiet hint' }, 'click a %name, or F12 at one: its definition'),
    ),
    host,
  );

  /** Goes to the definition of what stands at a position; false where nothing does. */
  const goFrom = (view: EditorView, at: number): boolean => {
    const name = nameAt(view.state.doc.toString(), at);
    if (name === undefined) return false;
    go(view, name);
    store.set({ op: name });
    return true;
  };
  const go = (view: EditorView, name: string): void => {
    const at = definitionOf(view.state.doc.toString(), name);
    if (at < 0) return;
    view.dispatch({
      selection: { anchor: at, head: at + name.length + 1 },
      effects: EditorView.scrollIntoView(at, { y: 'center' }),
    });
  };

  const extensions: Extension = [
    lineNumbers(),
    drawSelection(),
    EditorView.lineWrapping,
    EditorState.readOnly.of(true),
    EditorView.contentAttributes.of({ 'aria-label': 'Text of the graph', 'aria-readonly': 'true' }),
    search({ top: true }),
    keymap.of([
      ...searchKeymap,
      ...['F12', 'Enter'].map((key) => ({
        key,
        run: (view: EditorView) => goFrom(view, view.state.selection.main.head),
      })),
    ]),
    EditorView.domEventHandlers({
      click: (event, view) => {
        const at = view.posAtCoords({ x: event.clientX, y: event.clientY });
        const isName = event.target instanceof Element && event.target.closest('.cm-kir-name') !== null;
        return at !== null && isName && view.state.selection.main.empty ? goFrom(view, at) : false;
      },
    }),
    marks,
    kir,
  ];
  const view = new EditorView({ parent: host, state: EditorState.create({ extensions }) });

  return {
    element,
    update: (now, before) => {
      const step = model.steps[now.step];
      const source = model.steps[step?.graph ?? 0];
      if (before === undefined || now.step !== before.step) {
        view.setState(EditorState.create({ doc: source?.text ?? '', extensions }));
      }
      const nodes = step?.changed === true && now.step > 0 ? (source?.nodes ?? []) : [];
      const changes = new Map(nodes.map(({ name, change }) => [name, change]));
      view.dispatch({ effects: setMarks.of(decorate(view.state, changes, now.op)) });
      if (now.op !== undefined && (now.op !== before?.op || now.step !== before.step)) go(view, now.op);
    },
  };
};
