/** Options of the HLS target. */
import * as t from 'io-ts';
import { record } from '../../ir/codec.js';
import { choiceText, integerText } from '../shared/options.js';

export type Architecture = 'unrolled' | 'folded';

export interface HlsOptions {
  readonly name?: string;
  /** `unrolled`: every edge is logic, a sample a clock. `folded`: tables in memories, inputs one after another. */
  readonly architecture?: 'auto' | Architecture;
  /** `vector`: arrays. `axis`: AXI4-Stream. `auto`: vectors for unrolled designs, streams for folded ones. */
  readonly interface?: 'auto' | 'vector' | 'axis';
  /** Clock cycles in which a folded layer adds one row: 1 adds all outputs at once. */
  readonly reuse?: number;
  readonly part?: string;
  /** Nanoseconds. */
  readonly clock?: number;
}

/** Parts of the vendor are named by letters, digits and hyphens. */
const Part = new t.Type<string, string, unknown>(
  'the name of a part, such as xc7a100tcsg324-1',
  (u): u is string => typeof u === 'string' && /^[A-Za-z0-9-]{3,40}$/.test(u),
  (u, c) => (typeof u === 'string' && /^[A-Za-z0-9-]{3,40}$/.test(u) ? t.success(u) : t.failure(u, c)),
  t.identity,
);

/** A number, or its text. */
const Nanoseconds = new t.Type<number, number, unknown>(
  'nanoseconds from 0.5 to 1000',
  (u): u is number => typeof u === 'number' && u >= 0.5 && u <= 1000,
  (u, c) => {
    const n = typeof u === 'string' && /^\d+(\.\d+)?$/.test(u) ? Number(u) : u;
    return typeof n === 'number' && n >= 0.5 && n <= 1000 ? t.success(n) : t.failure(u, c);
  },
  t.identity,
);

export const HlsOptionsCodec: t.Type<HlsOptions, unknown, unknown> = record(
  {},
  {
    name: t.string,
    architecture: choiceText('auto', 'unrolled', 'folded'),
    interface: choiceText('auto', 'vector', 'axis'),
    reuse: integerText(1, 65536),
    part: Part,
    clock: Nanoseconds,
  },
);
