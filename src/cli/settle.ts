/** How a command hands its work to `main`. */
import type { Command } from 'commander';
import type * as TE from 'fp-ts/lib/TaskEither.js';
import type { Diagnostics } from '../diagnostics/index.js';
import type { Capabilities } from '../driver/capabilities.js';

/** Runs the task, shows its diagnostics and keeps its exit code. */
export type Settle = (task: TE.TaskEither<Diagnostics, number>) => Promise<void>;

/** Declares the arguments and options of a command, and what it does. */
export type AddCommand = (command: Command, world: Capabilities, settle: Settle) => void;
