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
  /** Names of values of an exported graph, separated by commas: what the network takes instead of the graph's inputs. */
  readonly graphInputs?: string;
  /** The same for what it gives instead of the graph's outputs. */
  readonly graphOutputs?: string;
  /** Name of the graph; `model` when absent. */
  readonly name?: string;
}

/** How the value of an option is written and given. */
export type OptionKind = 'text' | 'number' | 'count' | 'shape' | 'flag' | 'file';

export interface ReadingOption {
  /** As it is typed, with what stands for its value. */
  readonly flag: string;
  readonly kind: OptionKind;
  readonly help: string;
  /** What may have no use for it: networks of named tensors and formats of their own, or only the latter. */
  readonly unheededBy?: 'tensors' | 'documents' | 'both';
}

/**
 * How the options of ImportOptions are said: on the command line, by scripts, in lines that compile a point again. A new one is
 * a field there and an entry here.
 */
export const READING_OPTIONS = {
  family: {
    flag: '--family <name>',
    kind: 'text',
    help: 'the KAN library of the checkpoint, instead of recognising it',
  },
  baseActivation: {
    flag: '--base-activation <name>',
    kind: 'text',
    help: 'the activation of the base branch, where the checkpoint does not store it',
    unheededBy: 'tensors',
  },
  rbf: {
    flag: '--rbf <name>',
    kind: 'text',
    help: 'the function of a radial basis, gaussian or reflectional-switch, where the checkpoint does not store it',
    unheededBy: 'tensors',
  },
  rbfWidth: {
    flag: '--rbf-width <number>',
    kind: 'number',
    help: 'the width of a radial basis, where the checkpoint does not store it',
    unheededBy: 'tensors',
  },
  squash: {
    flag: '--squash <name>',
    kind: 'text',
    help: 'what polynomials have their input through, tanh or none, where the checkpoint does not store it',
    unheededBy: 'tensors',
  },
  normEpsilon: {
    flag: '--norm-epsilon <number>',
    kind: 'number',
    help: 'what norms add to the variance, instead of 1e-5',
    unheededBy: 'tensors',
  },
  inputFeatures: {
    flag: '--input-features <n>',
    kind: 'count',
    help: 'how many inputs a pruned network had before, where the checkpoint does not store it',
    unheededBy: 'tensors',
  },
  inputShape: {
    flag: '--input-shape <CxHxW>',
    kind: 'shape',
    help: 'channels, height and width of the images, where the checkpoint does not store them',
    unheededBy: 'tensors',
  },
  architecture: {
    flag: '--arch <file>',
    kind: 'file',
    help: 'an architecture file, which says what the tensors are; see docs/architecture-files.md',
    unheededBy: 'documents',
  },
  prefix: {
    flag: '--prefix <name>',
    kind: 'text',
    help: 'what the names begin with, keys of dicts included, where the checkpoint holds several networks',
    unheededBy: 'documents',
  },
  graphInputs: {
    flag: '--inputs <names>',
    kind: 'text',
    help: 'values of an ONNX graph that the network is to take instead of its inputs, separated by commas',
    unheededBy: 'both',
  },
  graphOutputs: {
    flag: '--outputs <names>',
    kind: 'text',
    help: 'values of an ONNX graph that the network is to give instead of its outputs, separated by commas',
    unheededBy: 'both',
  },
  ignoreExtra: {
    flag: '--ignore-tensors',
    kind: 'flag',
    help: 'leave out tensors that have no part in the network, instead of refusing them',
    unheededBy: 'documents',
  },
} as const satisfies Readonly<Record<Exclude<keyof ImportOptions, 'name'>, ReadingOption>>;

export type ReadingKey = keyof typeof READING_OPTIONS;

/** Those that are values and no file: manifests tell them. */
export type ToldKey = Exclude<ReadingKey, 'architecture'>;

/** All of them in the order of the help; the keys of an object are known to be strings only, hence the cast. */
export const readingOptions = (): ReadonlyArray<readonly [ReadingKey, ReadingOption]> =>
  Object.entries(READING_OPTIONS) as Array<[ReadingKey, ReadingOption]>;

/** The option as it is typed, without what stands for its value. */
export const flagOf = (key: ReadingKey): string => READING_OPTIONS[key].flag.split(' ')[0]!;

/** What is given of the options that are values; a flag that is not set says nothing. */
export const toldOptions = (
  given: {
    readonly [K in ToldKey]?: ImportOptions[K] | undefined;
  },
): Pick<ImportOptions, ToldKey> =>
  Object.fromEntries(
    readingOptions().flatMap(([key]) => {
      const value = key === 'architecture' ? undefined : given[key];
      return value === undefined || value === false ? [] : [[key, value]];
    }),
  );

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
  /** The nodes of an exported graph that values come from, by the names of the values. */
  readonly origins?: ReadonlyMap<string, string>;
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
