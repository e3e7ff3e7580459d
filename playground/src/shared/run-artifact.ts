/** Runs an artifact through its own loader, the very text that is downloaded: what is measured is what is got. */

export type Values = Float32Array | Int32Array;

export interface Model {
  readonly meta: { readonly input: { readonly dtype: string } };
  readonly predict: (input: Float32Array | Uint8Array, batch: number) => Values | Promise<Values>;
  readonly destroy?: () => void;
}

interface Loader {
  readonly load: (options: Readonly<Record<string, unknown>>) => Promise<Model>;
}

/** The loader is written by kanc, and names out of a checkpoint are in it as JSON only. */
const isLoader = (u: unknown): u is Loader =>
  typeof u === 'object' && u !== null && 'load' in u && typeof u.load === 'function';

type Files = Readonly<Record<string, Uint8Array | string>>;

const textOf = (files: Files, name: string): string => {
  const file = files[name];
  if (typeof file !== 'string') throw new Error(`the artifact has no ${name}`);
  return file;
};

/** Loads the files of an artifact for WASM or WebGPU. Rejects where the browser cannot run it. */
export const loadArtifact = async (files: Files): Promise<Model> => {
  const url = URL.createObjectURL(new Blob([textOf(files, 'index.js')], { type: 'text/javascript' }));
  try {
    const loader: unknown = await import(url);
    if (!isLoader(loader)) throw new Error('the loader exports no load');
    const wasm = files['model.wasm'];
    return await loader.load(
      wasm === undefined
        ? { wgsl: new Response(textOf(files, 'model.wgsl')), bin: files['model.bin'] }
        : { wasm },
    );
  } finally {
    URL.revokeObjectURL(url);
  }
};
