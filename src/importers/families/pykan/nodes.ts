/** How pykan's sub-nodes become nodes: the first ones pass, the others are multiplied in runs. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../../../diagnostics/index.js';
import type { Builder } from '../../../ir/builder.js';
import { constant } from '../../../ir/constant.js';
import { uint } from '../../../ir/element.js';
import type { ValueName } from '../../../ir/graph.js';
import type { PykanConfig } from './config.js';

/** The nodes after one layer. */
export interface Nodes {
  readonly sum: number;
  /** For each multiplication node the number of its factors. */
  readonly arities: ReadonlyArray<number>;
  /** Whether the arity is a guess. */
  readonly assumed: boolean;
}

/** pykan's own, where nothing else is known. */
const USUAL_ARITY = 2;

const subnodesOf = ({ sum, arities }: Nodes): number => arities.reduce((n, a) => n + a, sum);

/**
 * The nodes of layer `layer` of nodes (1 is the first after the inputs), of which the tensors say that there are
 * `nodes` made of `subnodes`. K0203 where the configuration says otherwise or neither says enough.
 */
export const nodesOf = (
  config: PykanConfig,
  layer: number,
  nodes: number,
  subnodes: number,
): Checked<Nodes> => {
  const given = config.width?.[layer];
  const { arity, unread } = config;
  // Without products there is nothing that they could say otherwise.
  if (nodes !== subnodes && unread.length > 0) {
    return fail('K0203', `${unread.join(' and ')} of the configuration hold no plain numbers`, {
      expected:
        'width: [[sums, products], ...] and mult_arity: a number, or a list of numbers for each layer of nodes',
      hint: `Layer ${layer} has ${nodes} nodes of ${subnodes} sub-nodes, so that it has products: write them into the _config.yml file.`,
    });
  }
  const result: Nodes | undefined =
    given === undefined
      ? fromShapes(nodes, subnodes, arity, layer)
      : fromConfig(given.sum, given.mult, arity, layer);
  if (
    result !== undefined &&
    result.sum + result.arities.length === nodes &&
    subnodesOf(result) === subnodes
  ) {
    return E.right(result);
  }
  const said =
    given === undefined
      ? 'the configuration says nothing that fits'
      : `the configuration says ${given.sum} sums and ${given.mult} products`;
  return fail('K0203', `layer ${layer} of nodes has ${nodes} nodes of ${subnodes} sub-nodes, but ${said}`, {
    expected: 'width and mult_arity of the same network in the _config.yml file',
  });
};

const fromConfig = (
  sum: number,
  mult: number,
  arity: PykanConfig['arity'],
  layer: number,
): Nodes | undefined => {
  if (arity === undefined || typeof arity === 'number') {
    const arities = new Array<number>(mult).fill(arity ?? USUAL_ARITY);
    return { sum, arities, assumed: arity === undefined && mult > 0 };
  }
  const arities = arity[layer] ?? [];
  return arities.length === mult ? { sum, arities, assumed: false } : undefined;
};

const fromShapes = (
  nodes: number,
  subnodes: number,
  arity: PykanConfig['arity'],
  layer: number,
): Nodes | undefined => {
  if (typeof arity === 'object') {
    const arities = arity[layer] ?? [];
    return arities.length <= nodes ? { sum: nodes - arities.length, arities, assumed: false } : undefined;
  }
  if (subnodes === nodes) return { sum: nodes, arities: [], assumed: false };
  const each = arity ?? USUAL_ARITY;
  // Every product takes each - 1 sub-nodes more than it gives nodes.
  const mult = (subnodes - nodes) / (each - 1);
  return Number.isInteger(mult) && mult > 0 && mult <= nodes
    ? {
        sum: nodes - mult,
        arities: new Array<number>(mult).fill(each),
        assumed: arity === undefined,
      }
    : undefined;
};

/** The sub-nodes that each node is the product of; one for those that pass. */
export const factorsOf = ({ sum, arities }: Nodes): ReadonlyArray<ReadonlyArray<number>> => {
  let next = sum;
  const products = arities.map((arity) => Array.from({ length: arity }, () => next++));
  return [...Array.from({ length: sum }, (_, s) => [s]), ...products];
};

/** Products of any number of factors, two at a time: a step halves them, and what passes is multiplied by 1. */
export const addProducts = (
  b: Builder<'float'>,
  hint: string,
  subnodes: ValueName,
  factors: ReadonlyArray<ReadonlyArray<number>>,
): ValueName => {
  let value = subnodes;
  let open = factors;
  let features = factors.reduce((n, f) => n + f.length, 0);
  while (open.some((f) => f.length > 1)) {
    const one = features;
    const pairs: (readonly [number, number])[] = [];
    open = open.map((f) => {
      const first = pairs.length;
      for (let k = 0; k < f.length; k += 2) pairs.push([f[k]!, f[k + 1] ?? one]);
      return Array.from({ length: pairs.length - first }, (_, k) => first + k);
    });
    features = pairs.length;
    const indices = (side: 0 | 1) =>
      constant(
        uint(32),
        [features],
        Uint32Array.from(pairs, (pair) => pair[side]),
      );
    value = b.add(hint, { kind: 'multiply', attrs: { left: indices(0), right: indices(1) } }, [value]);
  }
  return value;
};
