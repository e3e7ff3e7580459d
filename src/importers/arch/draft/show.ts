/** Architecture files as people read and edit them. */
import { visibleJson } from '../../../diagnostics/index.js';
import type { Architecture } from '../architecture.js';

/** JSON on one line, with spaces. */
const line = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(line).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return visibleJson(JSON.stringify(value));
  const entries = Object.entries(value).filter(([, v]) => v !== undefined);
  return `{ ${entries.map(([k, v]) => `${visibleJson(JSON.stringify(k))}: ${line(v)}`).join(', ')} }`;
};

/** The text of an architecture file. */
export const showArchitecture = (arch: Architecture): string => {
  const list = (items: ReadonlyArray<unknown>): string =>
    items.length === 0 ? '[]' : `[\n${items.map((item) => `    ${line(item)}`).join(',\n')}\n  ]`;
  const assumed = arch.assumed === undefined ? '' : `,\n  "assumed": ${list(arch.assumed)}`;
  return `{\n  "input": ${line(arch.input)},\n  "layers": ${list(arch.layers)}${assumed}\n}\n`;
};
