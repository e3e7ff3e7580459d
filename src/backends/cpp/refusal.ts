/** Why a sample may be refused: a NaN where the graph says so, or a code that no table has a row for. */
import type { Graph } from '../../ir/graph.js';
import { refusesNaN } from '../../ir/interpret.js';
import { levelsOf } from '../../ir/types.js';
import type { Program } from './program.js';

export interface Refusal {
  readonly text: string;
  /** Code over element `j` of the input. */
  readonly test: string;
}

export const refusal = (graph: Graph, program: Program, name: string): Refusal | undefined => {
  const { type } = program.input;
  if (type.element.kind === 'f32') {
    return refusesNaN(graph) ? { text: 'holds a NaN', test: `${name}[j] != ${name}[j]` } : undefined;
  }
  const levels = levelsOf(type);
  return levels < 256
    ? { text: `holds a code above ${levels - 1}`, test: `${name}[j] > ${levels - 1}` }
    : undefined;
};
