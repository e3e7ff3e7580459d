/** Pieces of Verilog text. */

export const range = (width: number): string => (width === 1 ? '' : `[${width - 1}:0] `);

export const literal = (value: number, width: number): string => `${width}'d${value}`;

/** Bits of a signal, the lowest first in `bits`, as one expression. */
export const pick = (name: string, width: number, bits: ReadonlyArray<number>): string => {
  const [first, last] = [bits[0]!, bits.at(-1)!];
  if (width === 1) return name;
  if (bits.length === 1) return `${name}[${first}]`;
  if (!bits.every((b, k) => b === first + k)) {
    return `{${[...bits]
      .reverse()
      .map((b) => `${name}[${b}]`)
      .join(', ')}}`;
  }
  return bits.length === width ? name : `${name}[${last}:${first}]`;
};

/** Digits of one literal: the scanner of Icarus Verilog ends above 16,384 characters. */
const MOST_DIGITS = 8192;

/**
 * One bit of a table by all values of its index, as a hexadecimal constant; of very large tables a concatenation of such,
 * the highest first.
 */
export const column = (values: ArrayLike<number>, bit: number): string => {
  const literals: string[] = [];
  for (let from = 0; from < values.length; from += 4 * MOST_DIGITS) {
    const end = Math.min(values.length, from + 4 * MOST_DIGITS);
    let digits = '';
    for (let at = from; at < end; at += 4) {
      let digit = 0;
      for (let k = 0; k < 4 && at + k < end; k++) {
        digit += (Math.floor(values[at + k]! / 2 ** bit) % 2) * 2 ** k;
      }
      digits = digit.toString(16) + digits;
    }
    literals.push(`${end - from}'h${digits}`);
  }
  return literals.length === 1 ? literals[0]! : `{\n    ${literals.reverse().join(',\n    ')}}`;
};
