/** Any number of edges as small multiples: one canvas as large as what is seen, over a space as large as all. */
import { h, sizeCanvas } from './dom.js';
import type { EdgeData } from './edge-data.js';
import { type Palette, paintEdge, palette } from './edge-paint.js';
import { showValue } from './format.js';

const CELL = { width: 132, height: 96, gap: 8, caption: 18 } as const;
const PITCH_Y = CELL.height + CELL.gap;

/** Browsers give up on elements of more pixels than this: in one column, of more edges than a page has outlines of. */
const TALLEST = 8_000_000;

export interface GridContent {
  readonly data: EdgeData;
  readonly edges: Uint32Array;
  readonly range: readonly [number, number] | undefined;
}

export interface EdgeGrid {
  readonly element: HTMLElement;
  readonly show: (content: GridContent) => void;
  readonly choose: (edge: number | undefined) => void;
  readonly redraw: () => void;
}

export const edgeName = (edge: number, outputs: number): string =>
  `${Math.floor(edge / outputs)} \u2192 ${edge % outputs}`;

export const edgeGrid = (onChoose: (edge: number) => void): EdgeGrid => {
  const canvas = h('canvas', { 'aria-hidden': 'true' });
  const space = h('div', { class: 'grid-space' });
  // A canvas says nothing to a screen reader: the chosen edge stands for it.
  const option = h('div', { class: 'spoken', role: 'option', id: 'edge-chosen', 'aria-selected': 'true' });
  const element = h(
    'div',
    {
      class: 'edge-grid',
      tabindex: 0,
      role: 'listbox',
      'aria-label': 'Edges; arrow keys move between them',
      id: 'edge-grid',
    },
    space,
    canvas,
    option,
  );
  let content: GridContent | undefined;
  let chosen: number | undefined;
  let colours: Palette | undefined;
  let scheduled = false;

  const columns = (): number =>
    Math.max(1, Math.floor((element.clientWidth - CELL.gap) / (CELL.width + CELL.gap)));
  /** From one cell to the next: cells share what is left of the width. */
  const pitch = (): number => Math.floor((element.clientWidth - CELL.gap) / columns());

  const paintCell = (
    context: CanvasRenderingContext2D,
    { data, range }: GridContent,
    edge: number,
    x: number,
    y: number,
  ): void => {
    const width = pitch() - CELL.gap;
    colours ??= palette();
    const isChosen = edge === chosen;
    context.fillStyle = colours.card;
    context.strokeStyle = isChosen ? colours.chosen : colours.rule;
    context.lineWidth = isChosen ? 2 : 1;
    context.setLineDash(data.dead(edge) && !isChosen ? [3, 3] : []);
    context.beginPath();
    context.roundRect(x + 0.5, y + 0.5, width - 1, CELL.height - 1, 5);
    context.fill();
    context.stroke();
    context.setLineDash([]);
    const frame = { x: x + 7, y: y + 6, width: width - 14, height: CELL.height - CELL.caption - 10 };
    paintEdge(context, data, edge, frame, colours, range);
    const baseline = y + CELL.height - 7;
    context.font = '11px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace';
    context.fillStyle = colours.ink;
    context.textAlign = 'left';
    context.fillText(edgeName(edge, data.layer.outputs), x + 8, baseline);
    context.fillStyle = colours.quiet;
    context.textAlign = 'right';
    const score = data.compared ? data.error(edge) : data.importance(edge);
    const said = data.dead(edge) ? 'constant' : showValue(score);
    context.fillText(said, x + width - 8, baseline);
  };

  const draw = (): void => {
    scheduled = false;
    const [width, height] = [element.clientWidth, element.clientHeight];
    const context = sizeCanvas(canvas, width, height);
    if (context === undefined || content === undefined) return;
    context.clearRect(0, 0, width, height);
    const across = columns();
    const top = element.scrollTop;
    canvas.style.transform = `translateY(${top}px)`;
    const first = Math.max(0, Math.floor((top - CELL.gap) / PITCH_Y));
    const last = Math.ceil((top + height) / PITCH_Y);
    let drawn = 0;
    for (let row = first; row <= last; row++) {
      for (let column = 0; column < across; column++) {
        const edge = content.edges[row * across + column];
        if (edge === undefined) break;
        drawn++;
        paintCell(context, content, edge, CELL.gap + column * pitch(), CELL.gap + row * PITCH_Y - top);
      }
    }
    // What tests hold on to: it must not grow with the network.
    canvas.dataset['drawn'] = String(drawn);
  };
  const redraw = (): void => {
    if (scheduled) return;
    scheduled = true;
    requestAnimationFrame(draw);
  };
  const resize = (): void => {
    const rows = Math.ceil((content?.edges.length ?? 0) / columns());
    space.style.height = `${Math.min(TALLEST, rows * PITCH_Y + CELL.gap)}px`;
    redraw();
  };
  const reveal = (index: number): void => {
    const top = Math.floor(index / columns()) * PITCH_Y;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + PITCH_Y + CELL.gap > element.scrollTop + element.clientHeight) {
      element.scrollTop = top + PITCH_Y + CELL.gap - element.clientHeight;
    }
  };
  const chooseAt = (index: number): void => {
    const edge = content?.edges[index];
    if (edge === undefined) return;
    reveal(index);
    onChoose(edge);
  };

  element.addEventListener('scroll', redraw, { passive: true });
  new ResizeObserver(resize).observe(element);
  element.addEventListener('click', (event) => {
    const bounds = element.getBoundingClientRect();
    const [x, y] = [
      event.clientX - bounds.left - CELL.gap,
      event.clientY - bounds.top + element.scrollTop - CELL.gap,
    ];
    const [column, row] = [Math.floor(x / pitch()), Math.floor(y / PITCH_Y)];
    if (column < 0 || column >= columns() || x % pitch() > pitch() - CELL.gap) return;
    chooseAt(row * columns() + column);
  });
  const MOVES: Readonly<Record<string, () => number>> = {
    ArrowRight: () => 1,
    ArrowLeft: () => -1,
    ArrowDown: columns,
    ArrowUp: () => -columns(),
    Home: () => -Number.MAX_SAFE_INTEGER,
    End: () => Number.MAX_SAFE_INTEGER,
    PageDown: () => columns() * Math.max(1, Math.floor(element.clientHeight / PITCH_Y)),
    PageUp: () => -columns() * Math.max(1, Math.floor(element.clientHeight / PITCH_Y)),
  };
  element.addEventListener('keydown', (event) => {
    const move = MOVES[event.key];
    if (move === undefined || content === undefined) return;
    event.preventDefault();
    const at = chosen === undefined ? -1 : content.edges.indexOf(chosen);
    chooseAt(at < 0 ? 0 : Math.max(0, Math.min(content.edges.length - 1, at + move())));
  });

  return {
    element,
    show: (now) => {
      content = now;
      element.scrollTop = 0;
      resize();
    },
    choose: (edge) => {
      chosen = edge;
      const outputs = content?.data.layer.outputs;
      option.textContent = edge === undefined || outputs === undefined ? '' : edgeName(edge, outputs);
      if (edge === undefined) element.removeAttribute('aria-activedescendant');
      else element.setAttribute('aria-activedescendant', option.id);
      redraw();
    },
    redraw: () => {
      colours = undefined;
      redraw();
    },
  };
};
