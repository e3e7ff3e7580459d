/** What of a program is needed. */
import type { TensorNode, TensorProgram, ValueId } from '../tensor/program.js';

/** The program without nodes that no output needs; inputs stay. */
export const withoutDead = (program: TensorProgram): TensorProgram => {
  const { nodes } = program;
  const live = new Uint8Array(nodes.length);
  for (const id of [...program.outputs, ...program.inputs]) live[id] = 1;
  for (let id = nodes.length - 1; id >= 0; id--) {
    if (live[id] === 1) for (const o of nodes[id]!.operands) live[o] = 1;
  }
  const kept: TensorNode[] = [];
  const renamed = nodes.map((node, id) => {
    if (live[id] === 0) return -1;
    return kept.push(node) - 1;
  });
  const of = (id: ValueId): ValueId => renamed[id]!;
  return {
    ...program,
    nodes: kept.map((node) => ({ ...node, operands: node.operands.map(of) })),
    inputs: program.inputs.map(of),
    outputs: program.outputs.map(of),
  };
};
