/**
 * The circuit that a table graph becomes: unsigned bit vectors and how each is computed. Nets are immutable; those that
 * compute the same from the same are one. Time is no part of them: `schedule.ts` says where registers stand.
 */

import { invariant } from '../../diagnostics/index.js';

/** What a net computes. All values are unsigned. */
export type Def =
  | { readonly kind: 'input'; readonly index: number }
  /**
   * A function of some bits of another net, its values by these bits, the lowest bit first in `bits`. `held`: a register
   * follows it.
   */
  | {
      readonly kind: 'table';
      readonly of: Net;
      readonly bits: ReadonlyArray<number>;
      readonly values: Int32Array;
      readonly held?: true;
    }
  /** a + b + carry, modulo 2^width. `carry` has one bit. */
  | { readonly kind: 'add'; readonly a: Net; readonly b?: Net; readonly carry?: Net }
  /** Bits from `from` on, modulo 2^width. */
  | { readonly kind: 'slice'; readonly of: Net; readonly from: number }
  /** `give` where a condition of one bit holds, `high` before `low`, and else `of`. A register follows it. */
  | { readonly kind: 'clamp'; readonly of: Net; readonly low?: Bound; readonly high?: Bound }
  /** The product of two nets in two's complement, of which one has `aWidth` bits and the other `bWidth`. */
  | {
      readonly kind: 'multiply';
      readonly a: Net;
      readonly aWidth: number;
      readonly b: Net;
      readonly bWidth: number;
    }
  /**
   * How many of ascending thresholds are at most the value of a net, which is in two's complement of `width` bits where
   * that is given.
   */
  | {
      readonly kind: 'rank';
      readonly of: Net;
      readonly width: number | undefined;
      readonly thresholds: ReadonlyArray<number>;
    };

export interface Bound {
  readonly when: Net;
  readonly give: number;
}

export interface Net {
  readonly id: number;
  readonly width: number;
  /** No value is above this. */
  readonly max: number;
  readonly def: Def;
  /** What it is of, for comments: the name of a value of the graph and an element. */
  readonly label: string;
}

/** Bits that hold 0 to max, below 2^32. */
export const bitsFor = (max: number): number => 32 - Math.clz32(max);

/** Makes nets; equal tables, sums and slices are made once. */
export interface Nets {
  /** All nets, operands before those who use them. */
  readonly all: ReadonlyArray<Net>;
  readonly input: (index: number, width: number, max: number, label: string) => Net;
  readonly table: (
    of: Net,
    bits: ReadonlyArray<number>,
    values: Int32Array,
    label: string,
    held?: boolean,
  ) => Net;
  readonly constant: (value: number, label: string) => Net;
  readonly add: (parts: Addends, max: number, label: string, width?: number) => Net;
  readonly slice: (of: Net, from: number, width: number, label: string) => Net;
  readonly clamp: (of: Net, low: Bound | undefined, high: Bound | undefined, label: string) => Net;
  readonly rank: (
    of: Net,
    width: number | undefined,
    thresholds: ReadonlyArray<number>,
    label: string,
  ) => Net;
  readonly multiply: (a: Factor, b: Factor, width: number, label: string) => Net;
}

export interface Addends {
  readonly a: Net;
  readonly b?: Net;
  readonly carry?: Net;
}

export interface Factor {
  readonly net: Net;
  readonly width: number;
}

const keyOf = (def: Def, width: number): string => {
  const rest = (() => {
    switch (def.kind) {
      case 'input':
        return `${def.index}`;
      case 'table':
        return `${def.of.id};${def.bits.join()};${def.values.join()};${def.held}`;
      case 'add':
        return `${def.a.id};${def.b?.id};${def.carry?.id}`;
      case 'slice':
        return `${def.of.id};${def.from}`;
      case 'clamp':
        return `${def.of.id};${def.low?.when.id};${def.low?.give};${def.high?.when.id};${def.high?.give}`;
      case 'multiply':
        return `${def.a.id};${def.aWidth};${def.b.id};${def.bWidth}`;
      case 'rank':
        return `${def.of.id};${def.width};${def.thresholds.join()}`;
    }
  })();
  return `${def.kind}:${width}:${rest}`;
};

const largest = (values: Int32Array): number => values.reduce((m, v) => Math.max(m, v), 0);

// Long: one short constructor for each kind of net, over what they share.
export const newNets = (): Nets => {
  const all: Net[] = [];
  const known = new Map<string, Net>();
  const make = (def: Def, width: number, max: number, label: string): Net => {
    const key = keyOf(def, width);
    const found = known.get(key);
    if (found !== undefined) return found;
    const net: Net = { id: all.length, width, max: Math.min(max, 2 ** width - 1), def, label };
    all.push(net);
    known.set(key, net);
    return net;
  };
  const table: Nets['table'] = (of, bits, values, label, held = false) => {
    invariant(
      values.every((v) => v >= 0),
      'a table of a circuit has no sign',
    );
    const max = largest(values);
    const def: Def = { kind: 'table', of, bits, values, ...(held ? { held } : {}) };
    return make(def, bitsFor(max), max, label);
  };
  return {
    all,
    input: (index, width, max, label) => make({ kind: 'input', index }, width, max, label),
    table,
    constant: (value, label) => {
      const anchor = all[0] ?? make({ kind: 'input', index: 0 }, 1, 1, label);
      return table(anchor, [], Int32Array.of(value), label);
    },
    add: ({ a, b, carry }, max, label, width) => {
      if (b === undefined && carry === undefined && (width === undefined || width === a.width)) return a;
      const parts = { ...(b === undefined ? {} : { b }), ...(carry === undefined ? {} : { carry }) };
      const wide = bitsFor(max);
      return make({ kind: 'add', a, ...parts }, Math.min(wide, width ?? wide), max, label);
    },
    slice: (of, from, width, label) =>
      from === 0 && width === of.width
        ? of
        : make({ kind: 'slice', of, from }, width, Math.floor(of.max / 2 ** from), label),
    clamp: (of, low, high, label) =>
      make(
        {
          kind: 'clamp',
          of,
          ...(low === undefined ? {} : { low }),
          ...(high === undefined ? {} : { high }),
        },
        of.width,
        2 ** of.width - 1,
        label,
      ),
    rank: (of, width, thresholds, label) =>
      make({ kind: 'rank', of, width, thresholds }, bitsFor(thresholds.length), thresholds.length, label),
    multiply: (a, b, width, label) =>
      make(
        { kind: 'multiply', a: a.net, aWidth: a.width, b: b.net, bWidth: b.width },
        width,
        2 ** width - 1,
        label,
      ),
  };
};

/** The nets that a net is computed from. */
export const operandsOf = ({ def }: Net): ReadonlyArray<Net> => {
  switch (def.kind) {
    case 'input':
      return [];
    case 'table':
      return def.bits.length === 0 ? [] : [def.of];
    case 'slice':
    case 'rank':
      return [def.of];
    case 'add':
      return [def.a, def.b, def.carry].flatMap((n) => n ?? []);
    case 'clamp':
      return [def.of, def.low?.when, def.high?.when].flatMap((n) => n ?? []);
    case 'multiply':
      return [def.a, def.b];
  }
};
