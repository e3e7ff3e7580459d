/** Types of fashion.js. */
export declare const CLASSES: ReadonlyArray<string>;
export declare const bytesOf: (path: string) => Promise<Uint8Array>;
export declare const argmax: (scores: ArrayLike<number>, from: number) => number;
