/** Who takes the values of a program. */
import { isMovement, type TensorNode, type TensorProgram, type ValueId } from '../tensor/program.js';

/** For each value the nodes that take it, looking through those that only move elements. Outputs count as takers. */
export interface Consumers {
  /** How many times a value is taken. */
  readonly count: (value: ValueId) => number;
  /** The only node that takes a value; undefined where there are several, or it is an output. */
  readonly only: (value: ValueId) => TensorNode | undefined;
}

export const consumersOf = (program: TensorProgram): Consumers => {
  const { nodes } = program;
  const users: ValueId[][] = nodes.map(() => []);
  for (const [id, node] of nodes.entries()) {
    for (const operand of new Set(node.operands)) users[operand]!.push(id);
  }
  const outputs = new Set(program.outputs);
  const count = new Int32Array(nodes.length);
  const only = new Int32Array(nodes.length).fill(-1);
  for (let id = nodes.length - 1; id >= 0; id--) {
    if (outputs.has(id)) count[id]!++;
    for (const user of users[id]!) {
      const moves = isMovement(nodes[user]!.op);
      count[id]! += moves ? count[user]! : 1;
      only[id] = moves ? only[user]! : user;
    }
    if (count[id] !== 1) only[id] = -1;
  }
  return {
    count: (value) => count[value]!,
    only: (value) => (only[value]! < 0 ? undefined : nodes[only[value]!]),
  };
};
