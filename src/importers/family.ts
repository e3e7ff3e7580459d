/** What an importer of a KAN family is. A family is a reading of names and shapes, not a path through the compiler. */
import type { Checked } from '../diagnostics/index.js';
import type { Graph } from '../ir/graph.js';
import type { TensorFile } from './containers/tensor.js';

/** What a user may say about a checkpoint that the file does not. */
export interface ImportOptions {
  /** Skips recognition. */
  readonly family?: string;
  /** The activation of the base branch, where the family does not store it. */
  readonly baseActivation?: string;
  /** What the tensor names of the network begin with, where the file holds several networks. */
  readonly prefix?: string;
  /** Leaves out tensors that have no part in the network as it is read, instead of refusing them. */
  readonly ignoreExtra?: boolean;
  /** Name of the graph; `model` when absent. */
  readonly name?: string;
}

export interface Family {
  readonly name: string;
  /** The tensor names that tell the family, for messages. */
  readonly signature: string;
  readonly recognises: (file: TensorFile) => boolean;
  readonly read: (file: TensorFile, options: ImportOptions) => Checked<Graph<'float'>>;
}
