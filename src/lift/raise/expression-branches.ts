/** Branches of functions that have no name: expressions with parameters. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../../diagnostics/index.js';
import type { ExpressionBasis } from '../../ir/basis.js';
import { type Constant, constant } from '../../ir/constant.js';
import { F32 } from '../../ir/element.js';
import type { FunctionTable } from '../functions.js';
import type { RaisedBranch } from './branch-plan.js';
import { type Layout, layoutOf, slotRows } from './expression-groups.js';
import { expressionText } from './expression-text.js';
import { MOST_ENTRIES } from './lookup.js';
import { slotsIn } from './shares.js';
import type { SlotId } from './slots.js';
import { type Instance, instanceOf, isUnfit, MOST_NODES, parametrised, type Unfit } from './template.js';
import { type Layer, weightsOf } from './weights.js';

const MOST_PARAMETERS = 256;

/** As much of a text as a line of a description holds. */
const shortened = (text: string): string => (text.length <= 120 ? text : `${text.slice(0, 117)}...`);

/** Functions of one shape. */
interface Group {
  /** Parameters of each function. */
  readonly parameters: ReadonlyMap<SlotId, ReadonlyArray<number>>;
  readonly count: number;
  readonly text: string;
  readonly lists: ReadonlyArray<ReadonlyArray<SlotId>>;
}

const refusal = (unfit: Unfit): Checked<never> =>
  unfit.reason === 'lookup'
    ? fail(
        'K0224',
        `a table of ${unfit.entries} entries is looked up together with other functions of its index, or is too large`,
        {
          expected: `tables of at most ${MOST_ENTRIES} entries behind which nothing but the entry is used`,
        },
      )
    : fail('K0224', `a function of one variable has more than ${MOST_NODES} operations`, {
        expected: `B-splines, Gaussians, polynomials, activations, or expressions of at most ${MOST_NODES} operations`,
        hint: 'A grid of many intervals that is written out as a sum may be such a function: export the layer with its functions before they are summed',
      });

const instancesOf = (table: FunctionTable, layer: Layer): Checked<ReadonlyMap<SlotId, Instance>> => {
  const instances = new Map<SlotId, Instance>();
  for (const id of new Set(layer.shares.flatMap(slotsIn))) {
    const slot = layer.slots.slotOf(id);
    if (slot.kind !== 'other') continue;
    const instance = instanceOf(table, slot.id);
    if (isUnfit(instance)) return refusal(instance);
    instances.set(id, instance);
  }
  return E.right(instances);
};

const groupOf = (layer: Layer, members: ReadonlyMap<SlotId, Instance>): Checked<Group> => {
  const instances = [...members.values()];
  const { assignments, parameters, valuesOf } = parametrised(instances.map((i) => i.constants));
  const text = expressionText(instances[0]!.template, assignments);
  if (parameters > MOST_PARAMETERS) {
    return fail('K0224', `functions of one form have ${parameters} parameters: ${shortened(text)}`, {
      expected: `at most ${MOST_PARAMETERS} numbers in which functions of one form differ`,
    });
  }
  const values = new Map<SlotId, ReadonlyArray<number>>();
  for (const [id, { constants }] of members) {
    const own = valuesOf(constants);
    if (!own.every((v) => Number.isFinite(Math.fround(v)))) {
      return fail('K0204', `a parameter of the functions ${shortened(text)} is NaN or infinite`, {
        expected: 'finite numbers',
      });
    }
    values.set(id, own);
  }
  const lists = layer.shares.map((share) => slotsIn(share).filter((id) => members.has(id)));
  return E.right({ parameters: values, count: parameters, text, lists });
};

const basisOf = (text: string, parameters: Constant, edges: boolean): ExpressionBasis => ({
  _tag: 'expression',
  function: text,
  parameters,
  ...(edges ? { edges: true as const } : {}),
});

/** Functions of inputs: those that an input lacks are its first, with weight 0. */
const inputsBranch = (
  layer: Layer,
  group: Group,
  layout: Layout & { kind: 'shared' | 'inputs' },
): ReadonlyArray<RaisedBranch> => {
  const count = layout.kind === 'shared' ? layout.columns.length : layout.count;
  const rows = layout.kind === 'shared' ? 1 : layer.terms.functions.length;
  const columnsOf = (share: number): ReadonlyArray<SlotId> =>
    layout.kind === 'shared' ? layout.columns : group.lists[share]!;
  const data = new Float32Array(rows * count * group.count);
  const any = group.lists.find((list) => list.length > 0)![0]!;
  const fill = (row: number, columns: ReadonlyArray<SlotId>): void => {
    for (let k = 0; k < count; k++) {
      data.set(group.parameters.get(columns[k] ?? columns[0] ?? any)!, (row * count + k) * group.count);
    }
  };
  if (layout.kind === 'shared') fill(0, layout.columns);
  else {
    layer.shares.forEach(({ inputs }, s) => {
      for (const input of inputs) fill(input, group.lists[s]!);
    });
  }
  const places = layer.shares.map((_, s) => new Map(columnsOf(s).map((id, k) => [id, k])));
  const weights = weightsOf(layer, count, (share, slot) => places[share]!.get(slot));
  if (weights === undefined) return [];
  const basis = basisOf(group.text, constant(F32, [rows, count, group.count], data), false);
  return [{ branch: { basis, weights }, found: `expression ${shortened(group.text)}` }];
};

/** Functions of edges: K for each, those that are not used with weight 0. */
const edgesBranch = (layer: Layer, group: Group, count: number): ReadonlyArray<RaisedBranch> => {
  const { outputs } = layer.terms;
  const inputs = layer.terms.functions.length;
  const size = group.count;
  const parameters = new Float32Array(inputs * count * outputs * size);
  const weights = new Float32Array(inputs * count * outputs);
  const any = group.parameters.values().next().value!;
  for (let e = 0; e < weights.length; e++) parameters.set(any, e * size);
  layer.shares.forEach((share, s) => {
    const list = group.lists[s]!;
    for (const input of share.inputs) {
      const used = new Int32Array(outputs);
      slotRows(layer.terms, share, input, list).forEach((row, j) => {
        const own = group.parameters.get(list[j]!)!;
        for (let o = 0; o < outputs; o++) {
          if (row[o] === 0) continue;
          const at = (input * count + used[o]!++) * outputs + o;
          weights[at] = row[o]!;
          parameters.set(own, at * size);
        }
      });
    }
  });
  const basis = basisOf(group.text, constant(F32, [inputs, count, outputs, size], parameters), true);
  return [
    {
      branch: { basis, weights: constant(F32, [inputs, count, outputs], weights) },
      found: `expression of each edge ${shortened(group.text)}`,
    },
  ];
};

/** The branches of all functions that have no name, one for each shape. */
export const expressionBranches = (
  table: FunctionTable,
  layer: Layer,
): Checked<ReadonlyArray<RaisedBranch>> => {
  const instances = instancesOf(table, layer);
  if (E.isLeft(instances)) return instances;
  const shapes = new Map<string, Map<SlotId, Instance>>();
  for (const [id, instance] of instances.right) {
    const { key } = instance.template;
    const members = shapes.get(key) ?? new Map<SlotId, Instance>();
    members.set(id, instance);
    shapes.set(key, members);
  }
  const branches: RaisedBranch[] = [];
  for (const members of shapes.values()) {
    const group = groupOf(layer, members);
    if (E.isLeft(group)) return group;
    const layout = layoutOf(layer.terms, layer.shares, group.right);
    branches.push(
      ...(layout.kind === 'edges'
        ? edgesBranch(layer, group.right, layout.count)
        : inputsBranch(layer, group.right, layout)),
    );
  }
  return E.right(branches);
};
