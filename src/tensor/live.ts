/** What of a program is needed, and how long. */
import type { TensorNode, TensorProgram, ValueId } from './program.js';

/** The program without nodes that no output needs, renumbered; inputs stay. */
export const withoutDead = (program: TensorProgram): TensorProgram => {
  const { nodes, inputs, outputs } = program;
  const live = new Uint8Array(nodes.length);
  for (const id of [...inputs, ...outputs]) live[id] = 1;
  for (let id = nodes.length - 1; id >= 0; id--)
    if (live[id] === 1) for (const o of nodes[id]!.operands) live[o] = 1;
  const numbers = new Int32Array(nodes.length);
  const of = (id: ValueId): ValueId => numbers[id]!;
  const kept: TensorNode[] = [];
  for (const [id, node] of nodes.entries()) {
    if (live[id] !== 1) continue;
    numbers[id] = kept.length;
    kept.push({ ...node, operands: node.operands.map(of) });
  }
  return { ...program, nodes: kept, inputs: inputs.map(of), outputs: outputs.map(of) };
};

/** After which node each value is not needed any more; outputs are needed after the last. */
export const lastUses = (program: TensorProgram): ReadonlyArray<number> => {
  const last = program.nodes.map((_, id) => id);
  for (const [id, { operands }] of program.nodes.entries()) for (const o of operands) last[o] = id;
  for (const id of program.outputs) last[id] = program.nodes.length;
  return last;
};
