/** Numbers as people read them. */

export const showBytes = (bytes: number): string => {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(2)} MB`;
};

/** Three digits and a unit: 12.3 M. */
export const showCount = (n: number): string => {
  const units = ['', ' k', ' M', ' G', ' T', ' P'];
  let [value, unit] = [n, 0];
  while (value >= 999.5 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${unit === 0 ? Math.round(value) : value.toPrecision(3)}${units[unit] ?? ''}`;
};

export const showInteger = (n: number): string => n.toLocaleString('en');

export const showPercent = (share: number, digits = 2): string => `${(share * 100).toFixed(digits)} %`;

/** Three digits, and powers of ten where they are shorter. */
export const showValue = (x: number): string => {
  if (x === 0) return '0';
  const size = Math.abs(x);
  return size >= 1e5 || size < 1e-4 ? x.toExponential(1) : String(Number(x.toPrecision(3)));
};

export const showTime = (milliseconds: number): string => {
  if (milliseconds >= 1000) return `${(milliseconds / 1000).toFixed(2)} s`;
  return `${milliseconds < 10 ? milliseconds.toFixed(1) : milliseconds.toFixed(0)} ms`;
};

/** Words that a hash makes unreadable, without most of it. */
export const shorten = (text: string): string => text.replace(/(sha256-[0-9a-f]{8})[0-9a-f]+/g, '$1...');
