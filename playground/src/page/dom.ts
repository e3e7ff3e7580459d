/** Elements by hand. Text only ever becomes text: names out of a checkpoint are never read as HTML. */

type Attributes = Readonly<Record<string, string | number | boolean>>;

/** A new element. `true` sets an attribute without a value, `false` leaves it out. */
export const make = <K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: ReadonlyArray<Node | string>
): HTMLElementTagNameMap[K] => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children);
  return element;
};

/** The element of index.html with this id. */
export const byId = <E extends HTMLElement>(id: string, kind: new () => E): E => {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`index.html has no #${id} of the expected kind`);
  return element;
};

/** A labelled row of a list of facts. */
export const fact = (term: string, ...details: ReadonlyArray<Node | string>): HTMLElement =>
  make('div', {}, make('dt', {}, term), make('dd', {}, ...details));

/** Calls `run` once things have been quiet for a while. */
export const debounced = (run: () => void, milliseconds: number): (() => void) => {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(run, milliseconds);
  };
};

/** Calls `run` before the next frame, once for any number of calls. */
export const everyFrame = (run: () => void): (() => void) => {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      run();
    });
  };
};
