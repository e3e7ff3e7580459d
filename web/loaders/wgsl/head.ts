/** The lines that stand in front of the loader: the data of one program (glue.ts of the target). */
import type { Program } from '../../../src/backends/wgsl/manifest.js';

export declare const program: Program;
/** Divides model.wgsl: behind it is what stands for the packed product where there is none. */
export declare const DOT4_MARK: string;
/** model.wgsl and model.bin: where they are, or what they hold. */
export declare const ownSource: () => URL | Response;
export declare const ownConstants: () => URL | Uint8Array;
