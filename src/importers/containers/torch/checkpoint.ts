/** Both kinds of torch files as checkpoints: the dicts of tensors in their pickle, over their storages. */
import * as E from 'fp-ts/lib/Either.js';
import type { Checked } from '../../../diagnostics/index.js';
import type { Checkpoint, Part } from '../checkpoint.js';
import type { PickleNode } from '../pickle/node.js';
import type { TensorFile } from '../tensor.js';
import { findStateDicts, type StateDict } from './state-dict.js';
import { readTensors, type Storages } from './tensor.js';
import { isMatrix, type TensorNode } from './tensor-node.js';

const partOf = ({ path, tensors, modules }: StateDict): Part => ({
  path,
  names: [...tensors.keys()],
  matrices: [...tensors.values()].some(isMatrix),
  ...(modules === undefined ? {} : { modules }),
});

/** A checkpoint of what a pickle says; storages are asked for when tensors are read. Fails as findStateDicts. */
export const torchCheckpoint = (
  container: TensorFile['container'],
  root: PickleNode,
  storages: Storages,
): Checked<Checkpoint> =>
  E.map(
    ({ dicts, opaque }: { dicts: ReadonlyArray<StateDict>; opaque: Checkpoint['opaque'] }): Checkpoint => {
      const calls = new Map(dicts.map((dict) => [partOf(dict), dict.tensors] as const));
      return {
        container,
        parts: [...calls.keys()],
        opaque,
        metadata: new Map(),
        read: (wanted) => {
          const named = new Map<string, TensorNode>();
          for (const { part, name, as } of wanted) {
            const call = calls.get(part)?.get(name);
            if (call !== undefined) named.set(as, call);
          }
          return readTensors(named, storages);
        },
      };
    },
  )(findStateDicts(root));
