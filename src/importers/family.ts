/** What an importer of a KAN family is. A family is a reading of names and shapes, not a path through the compiler. */
import * as t from 'io-ts';
import type { Checked } from '../diagnostics/index.js';
import type { Graph } from '../ir/graph.js';
import type { TensorFile } from './containers/tensor.js';
import type { Source } from './source.js';

/** What a user may say about a checkpoint that the file does not. */
export interface ImportOptions {
  /** Skips recognition. */
  readonly family?: string;
  /** The activation of the base branch, where the family does not store it. */
  readonly baseActivation?: string;
  /** The function of a radial basis (gaussian, reflectional-switch), where the family does not store it. */
  readonly rbf?: string;
  /** What the distance to a center is divided by, where the family does not store it. */
  readonly rbfWidth?: number;
  /** What the input of polynomials goes through first (tanh, none), where the family does not store it. */
  readonly squash?: string;
  /** What norms add to the variance; no family stores it. */
  readonly normEpsilon?: number;
  /** How many inputs the network had before some were pruned away. */
  readonly inputFeatures?: number;
  /** Shape of one sample, where the family does not store it: [channels, height, width]. */
  readonly inputShape?: ReadonlyArray<number>;
  /** An architecture file, which says the network in place of a family: its text, and its name for messages. */
  readonly architecture?: { readonly text: string; readonly file: string };
  /** What the tensor names of the network begin with, where the file holds several networks. */
  readonly prefix?: string;
  /** Leaves out tensors that have no part in the network as it is read, instead of refusing them. */
  readonly ignoreExtra?: boolean;
  /** Name of the graph; `model` when absent. */
  readonly name?: string;
}

/** Artifacts keep what was assumed, so it is read from files too. */
export const AssumptionCodec = t.readonly(
  t.intersection([t.type({ what: t.string, assumed: t.string }), t.partial({ option: t.string })]),
);

/**
 * Something that a checkpoint does not say and that the reading of it rests on. `option` is what a user can write to
 * say otherwise; absent where there is nothing.
 */
export type Assumption = t.TypeOf<typeof AssumptionCodec>;

/** One line about it, for people. */
export const showAssumption = ({ what, assumed, option }: Assumption): string =>
  `${what}: ${assumed}${option === undefined ? '' : ` (otherwise: ${option})`}`;

/** A network, and what had to be assumed to read it. */
export interface Reading {
  /** Float for families of tensors; a network of integers is a table graph from the start. */
  readonly graph: Graph;
  readonly assumptions: ReadonlyArray<Assumption>;
}

/** A family whose networks are named tensors in any container. */
export interface Family {
  readonly name: string;
  /** Whether no architecture file can put its networks among other layers. */
  readonly lone?: true;
  readonly recognises: (file: TensorFile) => boolean;
  /** `source` is for families that keep a part of the network in files beside the tensors. */
  readonly read: (file: TensorFile, options: ImportOptions, source: Source) => Checked<Reading>;
}

/** A family that has a file format of its own. */
export interface DocumentFamily {
  readonly name: string;
  readonly format: string;
  readonly recognises: (source: Source) => boolean;
  readonly read: (
    source: Source,
    options: ImportOptions,
  ) => Checked<Reading & { readonly parameters: number }>;
}
