/** Records with optional keys, for `exactOptionalPropertyTypes`. */

type Defined<A> = { readonly [K in keyof A]?: Exclude<A[K], undefined> };

/** Without the keys whose value is undefined. TypeScript does not follow the removal of keys, so it is told. */
export const defined = <A extends object>(record: A): Defined<A> =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as Defined<A>;
