/** What the figures of the passes compare outputs with: not a float network where only a compiled graph was given. */
import type { ViewModel } from '../../src/view/model.js';

export interface Reference {
  readonly isFloat: boolean;
  /** As the end of a sentence. */
  readonly name: string;
  /** Before a figure of it. */
  readonly short: string;
}

/** Undefined where nothing was measured. */
export const referenceOf = ({ steps }: ViewModel): Reference | undefined => {
  const first = steps.find(({ quality }) => quality !== undefined);
  if (first === undefined) return undefined;
  return first.level === 'float'
    ? { isFloat: true, name: 'the float network', short: 'float' }
    : { isFloat: false, name: 'the graph as it came', short: 'as it came' };
};

/** Whether there is anything to compare: a compiled graph without passes is only like itself. */
export const isCompared = (model: ViewModel): boolean =>
  referenceOf(model)?.isFloat === true ||
  model.steps.filter(({ quality }) => quality !== undefined).length > 1;
