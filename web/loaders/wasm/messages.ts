import type { Input } from '../shared/input.js';
import type { Results, Shape } from './runner.js';

/** What a worker is sent first. */
export interface Setup extends Shape {
  readonly module: WebAssembly.Module;
}

/** What it is sent then: over shared memory, or the part of a batch that is its own. */
export interface Job {
  readonly id: number;
  readonly raw: boolean;
  readonly samples: number;
  readonly input: Input;
  readonly shared?: {
    readonly results: Results;
    /** The sample at which the next piece begins, of all workers. */
    readonly next: Int32Array;
    readonly piece: number;
  };
}

/** What it answers: that it runs, that it is ready, that a job is done, or what failed. */
export interface Answer {
  readonly here?: string;
  readonly ready?: boolean;
  readonly id?: number;
  readonly own?: Results;
  readonly failed?: string;
}
