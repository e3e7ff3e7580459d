/** The order in which people count names: conv2 before conv10. */

const parts = (name: string): ReadonlyArray<string> => name.match(/\d+|\D+/g) ?? [];

const isNumber = (part: string): boolean => part.charCodeAt(0) >= 0x30 && part.charCodeAt(0) <= 0x39;

/** Digits without leading zeros: longer means larger, so that numbers of any length compare exactly. */
const compareNumbers = (a: string, b: string): number => {
  const [x, y] = [a.replace(/^0+(?=\d)/, ''), b.replace(/^0+(?=\d)/, '')];
  return x.length - y.length || (x < y ? -1 : x > y ? 1 : a.length - b.length);
};

/** Numbers inside of names compare as numbers, all else by code units: the same everywhere, whatever the locale. */
export const naturalOrder = (a: string, b: string): number => {
  const [x, y] = [parts(a), parts(b)];
  for (let k = 0; k < Math.min(x.length, y.length); k++) {
    const [p, q] = [x[k]!, y[k]!];
    const order = isNumber(p) && isNumber(q) ? compareNumbers(p, q) : p < q ? -1 : p > q ? 1 : 0;
    if (order !== 0) return order;
  }
  return x.length - y.length;
};
