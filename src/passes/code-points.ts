/**
 * Where codes are made: the values that a quantizer goes behind.
 *
 * Integer ops read codes, and everything univariate between the codes and the op that reads them folds into
 * tables. So codes are made as early as possible: directly behind the op that produces a value (a layer, a norm, a
 * sum, a pooling, a product), before activations and affine maps. Before the first such op they are made as late as
 * the thresholds of a quantizer can take what stands before it: on the values that the first layer was trained on.
 */
import { channel } from '../ir/constant.js';
import { definitionsOf, type Graph, type Node, typesOf, type ValueName } from '../ir/graph.js';
import { hasRole, isCodedInTables, mixesChannels, type Op, type OpOf } from '../ir/ops/index.js';
import type { KanAttrs } from '../ir/ops/kan.js';
import { channelsOf } from '../ir/types.js';

export interface CodePoint {
  readonly name: ValueName;
  /** Whether no layer stands before it. */
  readonly first: boolean;
  /** The KAN layers that read it, with whether they read it as it is, nothing univariate between. */
  readonly layers: ReadonlyArray<{
    readonly name: ValueName;
    readonly attrs: KanAttrs;
    readonly asItIs: boolean;
  }>;
  /** Whether a norm, a sum, a pooling, a product, or the result of the graph reads it. */
  readonly valueRead: boolean;
  /** Whether channels are put into one behind it, so that all of them must have the same codes. */
  readonly mixed: boolean;
  /** Code points that are joined with this one side by side must have equally many levels: they share this number. */
  readonly group: number;
}

/** The values that can be computed without running a layer, a norm, a sum, a pooling or a product. */
export const frontValues = (graph: Graph): ReadonlySet<ValueName> => {
  const front = new Set<ValueName>(graph.inputs.map((v) => v.name));
  for (const node of graph.nodes) {
    if (!hasRole(node.op, 'value') && node.operands.every((o) => front.has(o))) front.add(node.name);
  }
  return front;
};

/** Whether `fold` takes an op on so many channels into the thresholds of the quantizer behind it. */
export const joinsThresholds = (op: Op, channels: number): op is OpOf<'affine'> => {
  if (op.kind !== 'affine') return false;
  for (let c = 0; c < channels; c++) if (!(channel(op.attrs.scale, c) > 0)) return false;
  return true;
};

/** The values of the front whose codes can be made behind all that computes them. */
const lateValues = (graph: Graph): ReadonlySet<ValueName> => {
  const late = new Set<ValueName>(graph.inputs.map((v) => v.name));
  for (const { name, op, type, operands } of graph.nodes) {
    if (hasRole(op, 'value') || (hasRole(op, 'univariate') && !joinsThresholds(op, channelsOf(type))))
      continue;
    if (operands.every((o) => late.has(o))) late.add(name);
  }
  return late;
};

interface Draft {
  readonly layers: Array<CodePoint['layers'][number]>;
  valueRead: boolean;
  mixed: boolean;
  group: number;
}

/** Puts drafts, and all that share a group with one of them, into one group. */
const joinGroups = (joined: ReadonlyArray<Draft>, all: Iterable<Draft>): void => {
  const groups = new Set(joined.map((d) => d.group));
  const first = joined[0]?.group;
  if (first === undefined) return;
  for (const draft of all) if (groups.has(draft.group)) draft.group = first;
};

/** All code points of a float graph, in the order in which they are defined. */
// Long: finding the points behind a value and drafting them go hand in hand.
export const codePoints = (graph: Graph): ReadonlyArray<CodePoint> => {
  const definitions = definitionsOf(graph);
  const front = frontValues(graph);
  const late = lateValues(graph);
  const types = typesOf(graph);
  const countsOf = ({ operands }: Node) => operands.map((o) => channelsOf(types.get(o)!));
  const drafts = new Map<ValueName, Draft>();
  let groups = 0;

  const draftOf = (name: ValueName): Draft => {
    const known = drafts.get(name);
    if (known !== undefined) return known;
    const draft: Draft = { layers: [], valueRead: false, mixed: false, group: groups++ };
    drafts.set(name, draft);
    return draft;
  };
  /** The code points behind a value that is read, and whether something univariate stands between. */
  const pointsOf = (
    name: ValueName,
    asItIs: boolean,
  ): ReadonlyArray<{ name: ValueName; asItIs: boolean }> => {
    const node = definitions.get(name);
    if (node === undefined) return [{ name, asItIs }];
    if (hasRole(node.op, 'layout', 'observer', 'final')) {
      const points = node.operands.flatMap((o) => pointsOf(o, asItIs));
      if (mixesChannels(node.op, countsOf(node)))
        for (const { name: point } of points) draftOf(point).mixed = true;
      if (node.operands.length > 1)
        joinGroups(
          points.map((p) => draftOf(p.name)),
          drafts.values(),
        );
      return points;
    }
    if (hasRole(node.op, 'univariate') && !late.has(name)) return pointsOf(node.operands[0]!, false);
    return [{ name, asItIs }];
  };

  for (const node of graph.nodes) {
    if (!hasRole(node.op, 'value')) continue;
    for (const operand of node.operands) {
      for (const point of pointsOf(operand, true)) {
        const draft = draftOf(point.name);
        if (node.op.kind === 'kan')
          draft.layers.push({ name: node.name, attrs: node.op.attrs, asItIs: point.asItIs });
        else draft.valueRead = true;
      }
    }
  }
  // A result needs codes where something univariate stands before it, or an op whose tables give codes only.
  for (const output of graph.outputs) {
    for (const point of pointsOf(output, true)) {
      const made = definitions.get(point.name);
      if (!point.asItIs || (made !== undefined && isCodedInTables(made.op)))
        draftOf(point.name).valueRead = true;
    }
  }
  const order = [...graph.inputs.map((v) => v.name), ...graph.nodes.map((n) => n.name)];
  return order.flatMap((name) => {
    const draft = drafts.get(name);
    if (draft === undefined || (draft.layers.length === 0 && !draft.valueRead)) return [];
    return [{ name, first: front.has(name), ...draft }];
  });
};
