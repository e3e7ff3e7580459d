/** Heat maps: a matrix of numbers as pixels, with a scale, and its values under the pointer. */
import { currentTheme } from './theme.js';

type Rgb = readonly [number, number, number];

/** Ends and middles of the scales: blue to orange through the colour of the page; light to dark of one hue. */
const DIVERGING: Readonly<Record<'light' | 'dark', readonly [Rgb, Rgb, Rgb]>> = {
  light: [
    [33, 102, 172],
    [247, 247, 247],
    [196, 86, 26],
  ],
  dark: [
    [96, 165, 250],
    [28, 34, 42],
    [251, 146, 60],
  ],
};
const SEQUENTIAL: Readonly<Record<'light' | 'dark', readonly [Rgb, Rgb, Rgb]>> = {
  light: [
    [248, 250, 252],
    [125, 169, 214],
    [16, 60, 112],
  ],
  dark: [
    [22, 27, 34],
    [58, 110, 165],
    [214, 233, 255],
  ],
};

const mix = (a: Rgb, b: Rgb, t: number): Rgb => [
  a[0] + (b[0] - a[0]) * t,
  a[1] + (b[1] - a[1]) * t,
  a[2] + (b[2] - a[2]) * t,
];

/** The colour at 0 to 1. */
export const heatColour = (t: number, diverging: boolean): Rgb => {
  const [low, middle, high] = (diverging ? DIVERGING : SEQUENTIAL)[currentTheme()];
  return t < 0.5 ? mix(low, middle, t * 2) : mix(middle, high, t * 2 - 1);
};

/** Draws values of 0 to 1, row by row, one pixel each; CSS scales the canvas. */
export const paintHeat = (
  canvas: HTMLCanvasElement,
  rows: number,
  columns: number,
  share: (index: number) => number,
  diverging: boolean,
): void => {
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext('2d');
  if (context === null) return;
  const image = context.createImageData(columns, rows);
  for (let k = 0; k < rows * columns; k++) {
    const [r, g, b] = heatColour(Math.max(0, Math.min(1, share(k))), diverging);
    image.data.set([r, g, b, 255], 4 * k);
  }
  context.putImageData(image, 0, 0);
};
