/** What the page and the worker say to each other. Both ends are built together, so messages are typed and not checked. */
import type { Divergence } from '../../../src/analyses/divergence.js';
import type { Description } from '../../../src/importers/describe.js';

/** A file by name; its bytes are read where they are needed, so that messages stay small. */
export interface NamedFile {
  readonly name: string;
  readonly content: Blob;
}

/** What a file is used for. */
export const ROLES = [
  'checkpoint',
  'beside',
  'architecture',
  'calibration',
  'inputs',
  'labels',
  'unused',
] as const;
export type Role = (typeof ROLES)[number];

export type Roles = Readonly<Record<string, Role>>;

/** What a person may say about a checkpoint that the file does not. */
export interface Reading {
  readonly inputDtype?: 'u8';
  /** One number, or one for each channel. */
  readonly inputMean?: number | ReadonlyArray<number>;
  readonly inputStd?: number | ReadonlyArray<number>;
  /** Of the data; absent where they have the order of the network. */
  readonly inputLayout?: 'nhwc';
  readonly baseActivation?: string;
  readonly inputShape?: ReadonlyArray<number>;
  readonly prefix?: string;
  readonly ignoreExtra?: boolean;
}

/** A network with its data. */
export interface Project {
  /** Another one for each set of files. */
  readonly id: number;
  readonly files: ReadonlyArray<NamedFile>;
  /** Chosen by name and content where absent. */
  readonly roles?: Roles;
  readonly reading: Reading;
}

export const FORMS = ['auto', 'edge', 'basis'] as const;
export type Form = (typeof FORMS)[number];

export const KNOBS = ['act', 'hidden', 'table', 'coef', 'basis'] as const;
export type Knob = (typeof KNOBS)[number];

export interface Settings {
  readonly bits: Readonly<Record<Knob, number>>;
  readonly form: Form;
}

/** Some samples to try, for the page: the first ones that there are. */
export interface Samples {
  readonly count: number;
  readonly features: number;
  readonly data: Float32Array | Uint8Array;
  /** The smallest and the largest value of each feature, over all samples that were given. */
  readonly lowest: Float32Array;
  readonly highest: Float32Array;
  readonly classes?: ReadonlyArray<number>;
}

/** What was read of a project. */
export interface Opened {
  readonly roles: Roles;
  readonly description: Description;
  /** Of one sample. */
  readonly inputShape: ReadonlyArray<number>;
  readonly samples?: Samples;
  /** How many codes there are, where inputs are codes. */
  readonly codes?: number;
  /** What there is to say about data, such as labels that are missing. */
  readonly notes: ReadonlyArray<string>;
}

/** How good outputs are: by labels where there are some. */
export type Score =
  | { readonly _tag: 'accuracy'; readonly share: number; readonly samples: number }
  | { readonly _tag: 'rmse'; readonly rmse: number; readonly samples: number }
  | { readonly _tag: 'none' };

export interface CompiledRemark {
  readonly severity: 'note' | 'warning';
  readonly text: string;
}

/** A program and what was measured of it. */
export interface Compiled {
  /** The files of the WASM artifact that a page needs to run it. */
  readonly files: Readonly<Record<string, Uint8Array | string>>;
  readonly wasmBytes: number;
  readonly tableBytes: number;
  readonly score: Score;
  readonly divergence?: Divergence;
  /** Of one sample, with the loader of the artifact. */
  readonly microseconds: number;
  readonly milliseconds: number;
  readonly timings: ReadonlyArray<{ readonly step: string; readonly milliseconds: number }>;
  readonly remarks: ReadonlyArray<CompiledRemark>;
  readonly pipeline: string;
}

/** The float network in kanc's interpreter. */
export interface Reference {
  readonly score: Score;
  readonly microseconds: number;
}

export type GpuResult =
  | { readonly _tag: 'measured'; readonly single: number; readonly batch: number }
  | { readonly _tag: 'absent'; readonly reason: string };

/** `targets`: more than one is packed into one file, a folder for each. */
export type Request =
  | { readonly _tag: 'open'; readonly job: number; readonly project: Project }
  | {
      readonly _tag: 'compile';
      readonly job: number;
      readonly project: Project;
      readonly settings: Settings;
      /** Whether the float network is to be measured: once for a project. */
      readonly wantsReference: boolean;
      readonly wantsGpu: boolean;
    }
  | {
      readonly _tag: 'pack';
      readonly job: number;
      readonly project: Project;
      readonly settings: Settings;
      readonly targets: ReadonlyArray<string>;
    }
  | { readonly _tag: 'warm' };

export interface Progress {
  readonly step: string;
  readonly done: number;
  readonly of: number;
}

/** A target of the compiler's registry. */
export interface TargetFacts {
  readonly name: string;
  readonly summary: string;
}

export type Reply =
  /** Said once, when the worker has started. */
  | { readonly _tag: 'ready'; readonly targets: ReadonlyArray<TargetFacts> }
  | { readonly _tag: 'opened'; readonly job: number; readonly opened: Opened }
  | { readonly _tag: 'progress'; readonly job: number; readonly progress: Progress }
  | { readonly _tag: 'compiled'; readonly job: number; readonly compiled: Compiled }
  | { readonly _tag: 'reference'; readonly job: number; readonly reference: Reference }
  | { readonly _tag: 'gpu'; readonly job: number; readonly gpu: GpuResult }
  | { readonly _tag: 'packed'; readonly job: number; readonly zip: Uint8Array<ArrayBuffer> }
  | { readonly _tag: 'done'; readonly job: number }
  /** `text` is for the person, and may hold names out of a file. */
  | { readonly _tag: 'failed'; readonly job: number; readonly text: string };
