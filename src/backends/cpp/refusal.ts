/** Why a sample may be refused: a NaN where the graph says so, or a code that no table has a row for. */
import type { Graph } from '../../ir/graph.js';
import { refusesNaN } from '../../ir/interpret.js';
import { levelsOf } from '../../ir/types.js';
import type { Program } from './program.js';
import type { Helper } from './stage.js';

export interface Refusal {
  readonly text: string;
  /** Code over element `j` of the input. */
  readonly test: string;
  /** What the test calls. */
  readonly helpers: ReadonlyArray<Helper>;
}

/** `scope` stands before the names of helpers. */
export const refusal = (graph: Graph, program: Program, name: string, scope = ''): Refusal | undefined => {
  const { type } = program.input;
  if (type.element.kind === 'f32') {
    // By its bits: compilers that are told that there are no NaN (-ffast-math) take x != x for false.
    return refusesNaN(graph)
      ? {
          text: 'holds a NaN',
          test: `${scope}float_order(${name}[j]) == -2147483647 - 1`,
          helpers: ['order'],
        }
      : undefined;
  }
  const levels = levelsOf(type);
  return levels < 256
    ? { text: `holds a code above ${levels - 1}`, test: `${name}[j] > ${levels - 1}`, helpers: [] }
    : undefined;
};
