/** Elements from data. Text is always text: nothing here parses HTML, so names from a checkpoint stay names. */

type Child = Node | string | undefined;

type Value = string | number | boolean | undefined;

/** Attributes; `on...` are listeners. `false` and undefined leave an attribute out, `true` sets it empty. */
export interface Attributes {
  readonly [name: string]: Value | ((event: Event) => void);
}

const setAll = (element: Element, attributes: Attributes, children: ReadonlyArray<Child>): void => {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== undefined && value !== false) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child !== undefined));
};

export const h = <K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: ReadonlyArray<Child>
): HTMLElementTagNameMap[K] => {
  const element = document.createElement(tag);
  setAll(element, attributes, children);
  return element;
};

export const svg = <K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: ReadonlyArray<Child>
): SVGElementTagNameMap[K] => {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  setAll(element, attributes, children);
  return element;
};

/** A button that says what it does. */
export const button = (
  text: string,
  label: string,
  onclick: (event: Event) => void,
  attributes: Attributes = {},
): HTMLButtonElement =>
  h('button', { type: 'button', 'aria-label': label, title: label, onclick, ...attributes }, text);

/** One of several: a row of buttons of which one is pressed. */
export const choice = <T extends string>(
  label: string,
  options: ReadonlyArray<readonly [T, string]>,
  chosen: T,
  choose: (value: T) => void,
): HTMLElement =>
  h(
    'div',
    { class: 'choice', role: 'group', 'aria-label': label },
    ...options.map(([value, text]) =>
      h(
        'button',
        { type: 'button', 'aria-pressed': String(value === chosen), onclick: () => choose(value) },
        text,
      ),
    ),
  );

/** A value of a CSS variable: what canvases and plots are drawn with. */
export const colour = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** A canvas of so many CSS pixels, sharp on dense screens, and its context. */
export const sizeCanvas = (
  canvas: HTMLCanvasElement,
  width: number,
  height: number,
): CanvasRenderingContext2D | undefined => {
  const ratio = Math.min(3, window.devicePixelRatio || 1);
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext('2d') ?? undefined;
  context?.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
};

/** Scrolls a box, and only it, until an element in it is seen: `scrollIntoView` would move the page of a narrow window too. */
export const reveal = (box: Element, element: Element, across: 'near' | 'centre' = 'near'): void => {
  const [around, own] = [box.getBoundingClientRect(), element.getBoundingClientRect()];
  const near = (lo: number, hi: number, from: number, to: number): number =>
    lo < from ? lo - from : hi > to ? Math.min(hi - to, lo - from) : 0;
  box.scrollTop += near(own.top, own.bottom, around.top, around.bottom);
  box.scrollLeft +=
    across === 'near'
      ? near(own.left, own.right, around.left, around.right)
      : (own.left + own.right - around.left - around.right) / 2;
};
