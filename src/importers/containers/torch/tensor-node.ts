/** What stands for a tensor in a torch pickle: a constructor call, or an array of numpy in its place. */
import { arrayPlan } from '../pickle/arrays.js';
import {
  REBUILD_PARAMETER,
  REBUILD_PARAMETER_WITH_STATE,
  REBUILD_TENSOR,
  REBUILD_TENSOR_V3,
} from '../pickle/globals.js';
import { asNaturals, type CallNode, type ObjectNode, type PickleNode } from '../pickle/node.js';

/** The object is one that `arrayPlan` knows. */
export type TensorNode = CallNode | ObjectNode;

/** A parameter around a parameter is legal and pointless; a limit keeps chains of shared ones cheap. */
const MAX_PARAMETER_NESTING = 8;

/** The constructor behind a node, through the parameters around it; undefined for all that is no tensor of torch. */
export const asTensor = (node: PickleNode): CallNode | undefined => {
  let current: PickleNode | undefined = node;
  for (let depth = 0; depth <= MAX_PARAMETER_NESTING; depth++) {
    if (current?.tag !== 'call') return undefined;
    if (current.name === REBUILD_TENSOR || current.name === REBUILD_TENSOR_V3) return current;
    if (current.name !== REBUILD_PARAMETER && current.name !== REBUILD_PARAMETER_WITH_STATE) return undefined;
    current = current.args[0];
  }
  return undefined;
};

const MAX_RANK = 64;

/** Whether a tensor has two or more dimensions. */
export const isMatrix = (node: TensorNode): boolean =>
  node.tag === 'call'
    ? (asNaturals(node.args[2], MAX_RANK) ?? []).length >= 2
    : (arrayPlan(node)?.shape.length ?? 0) >= 2;
