/**
 * The constants of a graph and the resource section of `.kir` text, which holds the large ones.
 *
 * A constant is named by the first 12 digits of its SHA-256 (over element type, shape and little-endian
 * bytes), or by more when two constants of a graph share those.
 */
import { type Constant, hashOf, isConstant, littleEndianBytes, showConstantType } from './constant.js';
import type { Graph } from './graph.js';
import { isInline } from './print-value.js';
import { encodeBase64 } from './resources-base64.js';

/** Deepest nesting of lists and records in attributes, for text and for graphs made by untyped code. */
export const DEPTH_LIMIT = 32;

/** Calls `visit` with every constant inside an attribute value or a type. */
export const visitConstants = (u: unknown, visit: (c: Constant) => void, depth = 0): void => {
  if (typeof u !== 'object' || u === null || depth > DEPTH_LIMIT) return;
  if (isConstant(u)) {
    visit(u);
    return;
  }
  if (ArrayBuffer.isView(u)) return;
  for (const v of Object.values(u)) visitConstants(v, visit, depth + 1);
};

/** Every constant of a graph once, in the order of first use. */
export const constantsOf = (graph: Graph): ReadonlyArray<Constant> => {
  const found = new Map<string, Constant>();
  const visit = (c: Constant): void => {
    const hash = hashOf(c);
    if (!found.has(hash)) found.set(hash, c);
  };
  for (const { type } of graph.inputs) visitConstants(type.meaning, visit);
  for (const { op, type } of graph.nodes) {
    visitConstants(op.attrs, visit);
    visitConstants(type.meaning, visit);
  }
  return [...found.values()];
};

export const SHORT_NAME = 12;

/** The name of a constant outside of any graph: for messages. */
export const shortName = (c: Constant): string => hashOf(c).slice(0, SHORT_NAME);

/** The shortest names of at least 12 digits that tell these hashes apart. */
export const shortestNames = (hashes: ReadonlyArray<string>): ReadonlyMap<string, string> => {
  const sorted = [...new Set(hashes)].sort();
  const shared = (a: string, b: string | undefined): number => {
    let n = 0;
    while (b !== undefined && n < a.length && a[n] === b[n]) n++;
    return n;
  };
  return new Map(
    sorted.map((hash, k) => {
      // Among sorted strings the longest common prefix is with a neighbour.
      const common = Math.max(shared(hash, sorted[k - 1]), shared(hash, sorted[k + 1]));
      return [hash, hash.slice(0, Math.max(SHORT_NAME, common + 1))];
    }),
  );
};

export interface Resources {
  readonly nameOf: (c: Constant) => string;
  /** The constants that are not written where they are used, by hash. */
  readonly large: ReadonlyArray<Constant>;
}

export const resourcesOf = (graph: Graph): Resources => {
  const large = constantsOf(graph)
    .filter((c) => !isInline(c))
    .sort((a, b) => (hashOf(a) < hashOf(b) ? -1 : 1));
  const names = shortestNames(large.map(hashOf));
  return { large, nameOf: (c) => names.get(hashOf(c)) ?? shortName(c) };
};

/** The resource section, or nothing when there are no large constants. */
export const showResources = ({ large, nameOf }: Resources): ReadonlyArray<string> =>
  large.length === 0
    ? []
    : [
        'resources {',
        ...large.map(
          (c) =>
            `  #${nameOf(c)} : ${showConstantType(c)} sha256-${hashOf(c)} base64 ${encodeBase64(littleEndianBytes(c.data))}`,
        ),
        '}',
      ];
