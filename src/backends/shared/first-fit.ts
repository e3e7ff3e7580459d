/** Memory that arrays share which are never needed at the same time. */

export interface Lifetime<K> {
  readonly key: K;
  /** Elements. */
  readonly length: number;
  /** From the step that writes it to the last that reads it. */
  readonly from: number;
  readonly to: number;
}

export interface Places<K> {
  /** First elements. */
  readonly at: ReadonlyMap<K, number>;
  /** Elements of all together. */
  readonly length: number;
}

/** Each array, in the order of their first steps, at the first place where it overlaps nothing that lives at the same time. */
export const firstFit = <K>(lives: ReadonlyArray<Lifetime<K>>): Places<K> => {
  const at = new Map<K, number>();
  let placed: { readonly to: number; readonly start: number; readonly end: number }[] = [];
  let length = 0;
  for (const life of lives) {
    placed = placed.filter(({ to }) => to >= life.from).sort((a, b) => a.start - b.start);
    let start = 0;
    for (const taken of placed) {
      if (start + life.length <= taken.start) break;
      start = Math.max(start, taken.end);
    }
    const end = start + life.length;
    placed.push({ to: life.to, start, end });
    at.set(life.key, start);
    length = Math.max(length, end);
  }
  return { at, length };
};
