/** What the readers of one file share: the files beside it, and what was read so far. */
import { OnnxFault } from './wire.js';

/** Files beside the model, by the names that it has for them. */
export type Beside = ReadonlyMap<string, Uint8Array>;

export interface Reader {
  readonly beside: Beside;
  /** How many graphs stand around. */
  readonly depth: number;
  /** Attributes of nodes in functions may stand for those of the call. */
  readonly inFunction: boolean;
  /** Counts over the whole file: calls repeat nodes, and tensors may share data. */
  readonly spent: { nodes: number; elements: number };
}

/** Nodes of all graphs, where all calls of functions are replaced by what they hold. */
export const MOST_NODES = 2 ** 18;

/** Elements of all constants, so that shapes alone do not take the memory of the machine. */
export const MOST_ELEMENTS = 2 ** 28;

export const newReader = (beside: Beside): Reader => ({
  beside,
  depth: 0,
  inFunction: false,
  spent: { nodes: 0, elements: 0 },
});

/** Counts nodes. Throws K0113 beyond the limit. */
export const spendNodes = ({ spent }: Pick<Reader, 'spent'>, count: number): void => {
  spent.nodes += count;
  if (spent.nodes > MOST_NODES) {
    throw new OnnxFault('K0113', 'the model has too many nodes', {
      expected: `at most ${MOST_NODES}, functions written out`,
    });
  }
};

/** Counts elements of a constant. Throws K0113 beyond the limit. */
export const spendElements = ({ spent }: Pick<Reader, 'spent'>, count: number, tensor: string): void => {
  spent.elements += count;
  if (spent.elements > MOST_ELEMENTS) {
    throw new OnnxFault('K0113', 'the constants up to this one have too many elements', {
      place: { tensor },
      expected: `at most ${MOST_ELEMENTS}`,
    });
  }
};
