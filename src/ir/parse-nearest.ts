/** The known word that was probably meant. */

/** Edit distance (insertions, deletions, substitutions), by rows. */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
};

/** The word closest to `text`, if less than a third of the letters differ; none for very long text. */
export const nearest = (text: string, words: ReadonlyArray<string>): string | undefined => {
  if (text.length > 40) return undefined;
  const best = words
    .filter((word) => word.length <= 40)
    .map((word) => ({ word, d: distance(text.toLowerCase(), word.toLowerCase()) }))
    .sort((a, b) => a.d - b.d)[0];
  return best !== undefined && best.d <= best.word.length / 3 ? best.word : undefined;
};
