/**
 * The forms of layers chosen by measurement: from the forms that the cost model chose, one layer after the other gets its
 * other form, and keeps it where the program is then faster by more than the noise.
 */
import * as E from 'fp-ts/lib/Either.js';
import type * as TE from 'fp-ts/lib/TaskEither.js';
import type { Form } from '../../analyses/form-cost.js';
import type { Diagnostics } from '../../diagnostics/index.js';
import { isFaster, type Race } from './race.js';

export type Forms = ReadonlyMap<string, Form>;

export interface TuneWorld<Program> {
  /** The program with these forms, the others as they are chosen without. */
  readonly make: (forms: Forms) => TE.TaskEither<Diagnostics, Program>;
  /** The form of each layer that has both. */
  readonly formsOf: (program: Program) => Forms;
  readonly race: (first: Program, second: Program) => Race;
  readonly onProgress: (done: number, of: number) => void;
}

export interface Trial {
  readonly layer: string;
  readonly from: Form;
  readonly to: Form;
  /** Why it could not be measured, such as tables over a limit. */
  readonly result: { readonly _tag: 'raced'; readonly race: Race; readonly kept: boolean } | Impossible;
}

interface Impossible {
  readonly _tag: 'impossible';
  readonly why: string;
}

export interface Tuned {
  readonly trials: ReadonlyArray<Trial>;
  /** The forms that were kept; the other layers stay as the cost model chose. */
  readonly forms: Forms;
}

export const other = (form: Form): Form => (form === 'edge' ? 'basis' : 'edge');

/** Fails where the program that it starts from cannot be made. */
export const tune =
  <Program>(world: TuneWorld<Program>): TE.TaskEither<Diagnostics, Tuned> =>
  async () => {
    const start = await world.make(new Map())();
    if (E.isLeft(start)) return start;
    let best = start.right;
    let forms: Forms = new Map();
    const trials: Trial[] = [];
    const layers = [...world.formsOf(best)];
    for (const [k, [layer, from]] of layers.entries()) {
      world.onProgress(k, layers.length);
      const to = other(from);
      const changed: Forms = new Map([...forms, [layer, to]]);
      const made = await world.make(changed)();
      if (E.isLeft(made)) {
        const why = made.left[0].message;
        trials.push({ layer, from, to, result: { _tag: 'impossible', why } });
        continue;
      }
      const race = world.race(best, made.right);
      const kept = isFaster(race);
      trials.push({ layer, from, to, result: { _tag: 'raced', race, kept } });
      if (!kept) continue;
      [best, forms] = [made.right, changed];
    }
    return E.right({ trials, forms });
  };
