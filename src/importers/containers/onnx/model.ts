/** An ONNX file as data: what its bytes say, before anything in it has a meaning. */

/** The element types of ONNX that are read, and those that are told by name only. */
export type OnnxElement =
  | 'float'
  | 'double'
  | 'float16'
  | 'bfloat16'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'bool';

export interface OnnxTensor {
  readonly name: string;
  readonly element: OnnxElement;
  readonly shape: ReadonlyArray<number>;
  /** Row-major. Integers beyond 2^53 are the nearest doubles; truth is 0 and 1. */
  readonly data: Float64Array;
}

export type OnnxAttribute =
  | { readonly _tag: 'float'; readonly value: number }
  | { readonly _tag: 'int'; readonly value: number }
  | { readonly _tag: 'string'; readonly value: string }
  | { readonly _tag: 'tensor'; readonly value: OnnxTensor }
  | { readonly _tag: 'graph'; readonly value: OnnxGraph }
  | { readonly _tag: 'floats'; readonly value: ReadonlyArray<number> }
  | { readonly _tag: 'ints'; readonly value: ReadonlyArray<number> }
  | { readonly _tag: 'strings'; readonly value: ReadonlyArray<string> }
  /** What no op that is read has: sparse tensors, types, lists of graphs. */
  | { readonly _tag: 'other'; readonly what: string };

export interface OnnxNode {
  /** The name of the node, or one made of its op and place where it has none. */
  readonly name: string;
  readonly op: string;
  /** '' for the operators of ONNX itself. */
  readonly domain: string;
  /** Names of values; '' where one is left out. */
  readonly inputs: ReadonlyArray<string>;
  readonly outputs: ReadonlyArray<string>;
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
  /** Which of several functions of the same name is called. Absent in a model, whose functions are inlined. */
  readonly overload?: string;
  /**
   * In a function: attributes by the names of those of its call that they take their values from. Absent in a model, too.
   */
  readonly references?: ReadonlyMap<string, string>;
}

export interface OnnxValue {
  readonly name: string;
  /** Absent where the file does not say, or says a type that is no tensor. */
  readonly element?: OnnxElement;
  /** A name or undefined where a dimension is not a number; absent where the rank is not known. */
  readonly shape?: ReadonlyArray<number | string | undefined>;
}

export interface OnnxGraph {
  readonly name: string;
  readonly nodes: ReadonlyArray<OnnxNode>;
  readonly initializers: ReadonlyMap<string, OnnxTensor>;
  /** Without those that are initializers as well. */
  readonly inputs: ReadonlyArray<OnnxValue>;
  readonly outputs: ReadonlyArray<OnnxValue>;
}

export interface OnnxModel {
  readonly irVersion: number;
  /** The version of the operators of ONNX itself. */
  readonly opset: number;
  readonly producer: string;
  /** Functions of the file are inlined. */
  readonly graph: OnnxGraph;
}
