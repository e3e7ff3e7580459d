/** All edges of a layer at once: inputs down, outputs across, a pixel for an edge or for the worst of a block. */
import type { LayerView } from '../../src/view/model.js';
import { h } from './dom.js';
import { paintHeat } from './heat.js';
import { unpack } from './unpack.js';

export const edgeMap = (
  layer: LayerView,
  width: number,
  of: 'error' | 'importance',
  choose: (input: number, output: number) => void,
): HTMLElement => {
  const { rows, columns } = layer.map;
  const codes = unpack(layer.map[of]);
  // Scores span decades; what lies far below the largest is told apart by the plot above.
  const floor = 120;
  const height = Math.max(48, Math.min(220, Math.round((width * rows) / columns)));
  const canvas = h('canvas', {
    class: 'heat',
    role: 'img',
    'aria-label': `${of} of every edge, inputs down and outputs across`,
    style: `width:${width}px;height:${height}px`,
    onclick: (event) => {
      if (!(event instanceof MouseEvent)) return;
      const bounds = canvas.getBoundingClientRect();
      const at = (offset: number, size: number, count: number): number =>
        Math.max(0, Math.min(count - 1, Math.floor((offset / size) * count)));
      choose(
        at(event.clientY - bounds.top, bounds.height, layer.inputs),
        at(event.clientX - bounds.left, bounds.width, layer.outputs),
      );
    },
  });
  paintHeat(canvas, rows, columns, (k) => ((codes[k] ?? 0) - floor) / (255 - floor), false);
  return h(
    'figure',
    {},
    h('figcaption', {}, 'All edges', h('span', { class: 'quiet' }, `${of}: inputs \u2193, outputs \u2192`)),
    canvas,
  );
};
