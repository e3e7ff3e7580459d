/** A canvas to draw on with a pointer or with keys, seen as so many pixels by a network. */
import { everyFrame, make } from './dom.js';

export interface Drawing {
  readonly element: HTMLElement;
  /** Row-major, 0 to 255, as many as the network sees. */
  readonly pixels: () => Uint8Array;
  readonly show: (pixels: Uint8Array) => void;
  readonly clear: () => void;
}

/** Width of the canvas; a whole number of canvas pixels for each pixel of the network. */
const WIDTH = 280;

const KEYS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** `side`: pixels of the network in each direction. */
export const drawing = (side: number, onChange: () => void): Drawing => {
  const cell = Math.max(1, Math.floor(WIDTH / side));
  const width = cell * side;
  const canvas = make('canvas', {
    width,
    height: width,
    tabindex: 0,
    role: 'img',
    'aria-label': `Drawing, ${side} by ${side} pixels`,
    'aria-describedby': 'drawing-keys',
  });
  const cursor = make('div', { class: 'cursor', hidden: true });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error('this browser has no canvas');
  const changed = everyFrame(onChange);
  // Thick enough to fill more than one pixel of the network, as what it was trained on does.
  const radius = side < 16 ? 0.9 * cell : 1.15 * cell;

  const stroke = (x0: number, y0: number, x1: number, y1: number): void => {
    context.strokeStyle = '#fff';
    context.lineCap = 'round';
    context.lineWidth = 2 * radius;
    context.beginPath();
    context.moveTo(x0, y0);
    context.lineTo(x1, y1 + 0.01);
    context.stroke();
    changed();
  };

  let from: readonly [number, number] | undefined;
  const at = (event: PointerEvent): readonly [number, number] => {
    const box = canvas.getBoundingClientRect();
    return [
      ((event.clientX - box.left) * width) / box.width,
      ((event.clientY - box.top) * width) / box.height,
    ];
  };
  canvas.addEventListener('pointerdown', (event) => {
    canvas.setPointerCapture(event.pointerId);
    const [x, y] = at(event);
    from = [x, y];
    stroke(x, y, x, y);
  });
  canvas.addEventListener('pointermove', (event) => {
    if (from === undefined) return;
    const [x, y] = at(event);
    stroke(from[0], from[1], x, y);
    from = [x, y];
  });
  for (const end of ['pointerup', 'pointercancel'] as const) {
    canvas.addEventListener(end, () => {
      from = undefined;
    });
  }

  let [column, row] = [side >> 1, side >> 1];
  const place = (): void => {
    cursor.style.left = `${(100 * column) / side}%`;
    cursor.style.top = `${(100 * row) / side}%`;
    cursor.style.width = `${100 / side}%`;
  };
  canvas.addEventListener('keydown', (event) => {
    const step = KEYS[event.key];
    const centre = (n: number): number => (n + 0.5) * cell;
    const [x, y] = [centre(column), centre(row)];
    if (step !== undefined) {
      column = Math.min(side - 1, Math.max(0, column + step[0]));
      row = Math.min(side - 1, Math.max(0, row + step[1]));
      if (event.shiftKey) stroke(x, y, centre(column), centre(row));
    } else if (event.key === ' ') stroke(x, y, x, y);
    else return;
    cursor.hidden = false;
    place();
    event.preventDefault();
  });
  canvas.addEventListener('blur', () => {
    cursor.hidden = true;
  });

  const pixels = (): Uint8Array => {
    const { data } = context.getImageData(0, 0, width, width);
    const sums = new Float64Array(side * side);
    for (let y = 0; y < width; y++) {
      const start = Math.floor(y / cell) * side;
      for (let x = 0; x < width; x++) {
        const index = start + Math.floor(x / cell);
        const j = 4 * (y * width + x);
        sums[index] = (sums[index] ?? 0) + ((data[j] ?? 0) * (data[j + 3] ?? 0)) / 255;
      }
    }
    return Uint8Array.from(sums, (sum) => Math.round(sum / (cell * cell)));
  };
  const clear = (): void => {
    context.clearRect(0, 0, width, width);
    changed();
  };
  return {
    element: make('div', { class: 'drawing' }, canvas, cursor),
    pixels,
    clear,
    show: (shown) => {
      context.clearRect(0, 0, width, width);
      for (const [j, p] of shown.entries()) {
        context.fillStyle = `rgb(${p},${p},${p})`;
        context.fillRect((j % side) * cell, Math.floor(j / side) * cell, cell, cell);
      }
      changed();
    },
  };
};
