/** A small seeded generator of random numbers, so that a failing seed can be run again. */

export interface Random {
  /** Uniform in [0, 1). */
  readonly unit: () => number;
  /** A whole number in [lo, hi]. */
  readonly whole: (lo: number, hi: number) => number;
  readonly chance: (probability: number) => boolean;
  readonly pick: <A>(items: ReadonlyArray<A>) => A;
  /** A finite f32: mostly moderate, sometimes 0, -0, tiny, huge or of any bits. */
  readonly float: () => number;
}

const SPECIAL = [
  0,
  -0,
  1,
  -1,
  0.5,
  2 ** -149,
  -(2 ** -149),
  2 ** -126,
  3.4028234663852886e38,
  16777216,
  Math.fround(1e-7),
];

/** Mulberry32. */
export const randomOf = (seed: number): Random => {
  let state = seed | 0;
  const unit = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const whole = (lo: number, hi: number): number => lo + Math.floor(unit() * (hi - lo + 1));
  const pick = <A>(items: ReadonlyArray<A>): A => items[whole(0, items.length - 1)]!;
  const anyBits = (): number => {
    const f = new Float32Array(1);
    new Uint32Array(f.buffer)[0] = whole(0, 2 ** 32 - 1);
    return Number.isFinite(f[0]) ? f[0]! : 1;
  };
  return {
    unit,
    whole,
    chance: (probability) => unit() < probability,
    pick,
    float: () => {
      const kind = unit();
      if (kind < 0.1) return pick(SPECIAL);
      if (kind < 0.15) return anyBits();
      return Math.fround((unit() - 0.5) * 2 ** whole(-3, 6));
    },
  };
};
