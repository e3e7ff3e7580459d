export interface BuiltFile {
  readonly path: string;
  readonly bytes: number;
}

/** Writes the playground to a folder, which is replaced. */
export const buildPlayground: (
  folder: string,
  options?: { readonly minify?: boolean },
) => Promise<ReadonlyArray<BuiltFile>>;
