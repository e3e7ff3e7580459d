/** What is being looked at. One immutable record; views are told when it changes. */

export const TABS = ['passes', 'edges', 'tables', 'costs'] as const;
export type Tab = (typeof TABS)[number];

export const TAB_TITLES: Readonly<Record<Tab, string>> = {
  passes: 'Passes',
  edges: 'Edges',
  tables: 'Tables',
  costs: 'Costs',
};

export interface State {
  readonly tab: Tab;
  /** Index into the steps of the model. */
  readonly step: number;
  /** The value of an op in the graph of the step. */
  readonly op: string | undefined;
  readonly mode: 'diff' | 'before' | 'after';
  readonly showUnchanged: boolean;
  readonly layer: number;
  readonly edge: number | undefined;
  readonly table: number;
}

export interface Store {
  readonly get: () => State;
  readonly set: (change: Partial<State>) => void;
  readonly subscribe: (listener: (now: State, before: State) => void) => void;
}

export const store = (initial: State): Store => {
  let state = initial;
  const listeners: Array<(now: State, before: State) => void> = [];
  return {
    get: () => state,
    set: (change) => {
      const before = state;
      state = { ...state, ...change };
      for (const listener of listeners) listener(state, before);
    },
    subscribe: (listener) => {
      listeners.push(listener);
    },
  };
};
