/** More bits than a program has: what may be advised where it is far from its network. */
import type { Graph } from '../ir/graph.js';
import { hasRole } from '../ir/ops/index.js';

/** Bits that values of functions take, and those that classes do. */
const ENOUGH = {
  values: { act: 14, table: 16, coef: 16, basis: 12 },
  classes: { act: 10, table: 12, coef: 12, basis: 10 },
} as const;

/** What classes need at least: enough for most networks, so that less is the first thing to change. */
const USUAL = { act: 8, table: 8, coef: 8, basis: 8 } as const;

export type Knob = keyof typeof USUAL;

const KNOBS: ReadonlyArray<Knob> = ['act', 'table', 'coef', 'basis'];

type Bits = { readonly [K in Knob]?: number };

/** Bits of the codes that stand for so many levels; 2^b - 1 levels around 0 are of b bits. */
const bitsOf = (levels: number): number => Math.ceil(Math.log2(levels));

/** The fewest bits of activations in a program: of every quantizer between layers and before them. */
const actBits = (graph: Graph): number | undefined => {
  const levels = graph.nodes.flatMap(({ op }) => (hasRole(op, 'coder') ? [op.attrs.quantizer.levels] : []));
  return levels.length === 0 ? undefined : bitsOf(Math.min(...levels));
};

/**
 * The bits that are in force: of activations as the program has them, of tables as the options of `quantize` have them
 * (8 where they say nothing), each where the program has what they are of.
 */
const inForce = (graph: Graph, quantize: Readonly<Record<string, string>>): Bits => {
  const has = (kind: string): boolean => graph.nodes.some(({ op }) => op.kind === kind);
  const act = actBits(graph);
  const told = (knob: Knob): number => Number(quantize[knob] ?? 8);
  return {
    ...(act === undefined ? {} : { act }),
    ...(has('table.edge') ? { table: told('table') } : {}),
    ...(has('table.basis') ? { coef: told('coef'), basis: told('basis') } : {}),
  };
};

/** Fewest first; a program that has as many of each is not helped by the step. */
const above = (now: Bits, step: Readonly<Record<Knob, number>>): Bits | undefined => {
  const present = KNOBS.filter((knob) => now[knob] !== undefined);
  if (!present.some((knob) => now[knob]! < step[knob])) return undefined;
  return Object.fromEntries(present.map((knob) => [knob, Math.max(now[knob]!, step[knob])]));
};

/**
 * Bits with which a program would be nearer to its network: at least as many of everything as it has, and more of
 * something. Undefined where it has as many as are worth advising.
 */
export const finerBits = (
  graph: Graph,
  quantize: Readonly<Record<string, string>>,
  outputs: 'values' | 'classes',
): Bits | undefined => {
  const now = inForce(graph, quantize);
  const steps = outputs === 'values' ? [ENOUGH.values] : [USUAL, ENOUGH.classes];
  for (const step of steps) {
    const found = above(now, step);
    if (found !== undefined) return found;
  }
  return undefined;
};
