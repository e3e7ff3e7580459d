/** Small things that messages are made of. */
import type { Json } from '../backends/backend.js';
import { visibleJson } from '../diagnostics/index.js';

export const showBytes = (bytes: number): string => {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(2)} MB`;
};

export const showPercent = (share: number): string => `${(share * 100).toFixed(2)} %`;

/** One line of JSON, in which no name can disturb a terminal. */
export const jsonLine = (value: Json): string => `${visibleJson(JSON.stringify(value))}\n`;
