/** What is raced: one network in one engine. */
import type { Samples } from '../models.js';

/** Something that computes a network. */
export interface Engine {
  /** Bytes of what has to be loaded for this network, the engine's own runtime not counted. */
  readonly bytes: number;
  /** One batch, with its input made ready: what is timed. */
  readonly prepare: (samples: Samples, batch: number) => Promise<Run>;
  /** Makes a new instance from bytes in memory. */
  readonly load: () => Promise<unknown>;
}

export interface Run {
  readonly run: () => void | Promise<void>;
  /** What the last run gave. */
  readonly outputs: () => Promise<ArrayLike<number>>;
}

/** Why an engine cannot take part. */
export interface Absent {
  readonly why: string;
}

export const isAbsent = (e: Engine | Absent): e is Absent => 'why' in e;

/** Those that take part, in the order of the tables. */
export const ENGINES = [
  'kanc',
  'kanc, basis form',
  'float recursion',
  'onnxruntime-web',
  'tfjs-wasm',
] as const;

export type EngineName = (typeof ENGINES)[number];

export type Engines = Readonly<Record<EngineName, Engine | Absent>>;
