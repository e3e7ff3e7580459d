/** Named tensors as they stand in a checkpoint, before any family gives them a meaning. */

import type { Modules } from './modules.js';

/** The data types of containers, by their safetensors names. */
export type ContainerDtype =
  | 'F64'
  | 'F32'
  | 'F16'
  | 'BF16'
  | 'F8_E4M3'
  | 'F8_E5M2'
  | 'I64'
  | 'I32'
  | 'I16'
  | 'I8'
  | 'U8'
  | 'U16'
  | 'U32'
  | 'U64'
  | 'BOOL';

/**
 * A tensor read from a container, row-major and contiguous whatever its strides in the file were.
 * Floating types of every width are widened or narrowed to f32 (that is the precision the networks
 * run in); integers up to 32 bits are kept, I64 and U64 become f64 and are refused beyond 2^53.
 */
export interface FileTensor {
  readonly dtype: ContainerDtype;
  readonly shape: ReadonlyArray<number>;
  readonly data:
    | Float32Array
    | Float64Array
    | Int32Array
    | Int16Array
    | Int8Array
    | Uint8Array
    | Uint16Array
    | Uint32Array;
}

/** What every checkpoint container is read into. */
export interface TensorFile {
  readonly container: 'safetensors' | 'torch-zip' | 'torch-legacy' | 'torchscript' | 'torch-export' | 'npz';
  /** In file order. */
  readonly tensors: ReadonlyMap<string, FileTensor>;
  /** The textual `__metadata__` of safetensors; empty elsewhere. */
  readonly metadata: ReadonlyMap<string, string>;
  /** What modules tell beside their tensors, where the file holds them as a whole. */
  readonly modules?: Modules;
}
