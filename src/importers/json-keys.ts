/** Keys that stand twice in JSON, of which the reader of the language takes the last without a word. */

const TOKEN = /"(?:[^"\\]|\\.)*"\s*:?|[{}]/gs;

/** The first key that an object of valid JSON text has twice, at whatever depth; undefined when there is none. */
export const repeatedKey = (text: string): string | undefined => {
  const open: Set<string>[] = [];
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (token.endsWith(':')) {
      const key: unknown = JSON.parse(token.slice(0, -1));
      const keys = open.at(-1);
      if (typeof key !== 'string' || keys === undefined) continue;
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
  return undefined;
};
