/** What a script gives to `compile`, and whether it is what the types say: JavaScript does not check them. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, printable } from '../diagnostics/index.js';
import type { NpyArray } from '../importers/containers/npy/index.js';
import type { NamedPass } from '../passes/registry.js';
import type { CompileOptions } from './compile-options.js';
import type { InputLayout } from './input-layout.js';

/** The bytes of an .npy file (or of an .npz archive of one array), or an array as `readNpy` gives it; samples first. */
export type ArrayData = Uint8Array | NpyArray;

export interface CompileInput extends Omit<CompileOptions, 'calib'> {
  /** The bytes of the checkpoint: a .pt, .pth or .safetensors file, or the main file of a family of several. */
  readonly checkpoint: Uint8Array;
  /** The name of that file, where it matters: it says which of `files` belong to it. */
  readonly checkpointName?: string;
  /** Files that belong to the checkpoint, by name: the _config.yml of pykan, the config.json of KANELE. */
  readonly files?: Readonly<Record<string, Uint8Array>>;
  /** Inputs as the program will get them: ranges and tables come from them. */
  readonly calibration?: ArrayData;
  /** The order of the axes of images in these data: `nchw` as networks have it when absent. No program depends on it. */
  readonly inputLayout?: InputLayout;
  /** Data that a pipeline given as `passes` names. */
  readonly data?: Readonly<Record<string, ArrayData>>;
  /** The KAN library of the checkpoint; recognised when absent. */
  readonly family?: string;
  /** The activation of the base branch, where the checkpoint does not store it. */
  readonly baseActivation?: string;
  /** The function of a radial basis, gaussian or reflectional-switch, where the checkpoint does not store it. */
  readonly rbf?: string;
  /** The width of a radial basis, where the checkpoint does not store it. */
  readonly rbfWidth?: number;
  /** What polynomials have their input through, tanh or none, where the checkpoint does not store it. */
  readonly squash?: string;
  /** What norms add to the variance; 1e-5 when absent. */
  readonly normEpsilon?: number;
  /** How many inputs a pruned network had before. */
  readonly inputFeatures?: number;
  /** Shape of one sample, [channels, height, width], where the family does not store it. */
  readonly inputShape?: ReadonlyArray<number>;
  /** The text of an architecture file. */
  readonly architecture?: string;
  /** What the tensor names of the network begin with, where the checkpoint holds several networks. */
  readonly prefix?: string;
  /** Leaves out tensors that have no part in the network as kanc reads it, instead of refusing them. */
  readonly ignoreExtra?: boolean;
  /** `wasm` when absent. */
  readonly target?: string;
  /** Puts the module into index.js. */
  readonly singleFile?: boolean;
  /** Passes of your own that the pipeline may name. */
  readonly extraPasses?: ReadonlyArray<NamedPass>;
  /** Runs the verifier after every pass. */
  readonly verifyEach?: boolean;
}

type Check = (value: unknown) => boolean;

const isBytes: Check = (u) => u instanceof Uint8Array;
const isText: Check = (u) => typeof u === 'string';
const isNumber: Check = (u) => typeof u === 'number';
const isFlag: Check = (u) => typeof u === 'boolean';
const isRecord = (u: unknown): u is Readonly<Record<string, unknown>> =>
  typeof u === 'object' && u !== null && !Array.isArray(u) && !ArrayBuffer.isView(u);
const isArrayData: Check = (u) =>
  isBytes(u) ||
  (isRecord(u) && Array.isArray(u['shape']) && isText(u['dtype']) && ArrayBuffer.isView(u['data']));
const recordOf =
  (check: Check): Check =>
  (u) =>
    isRecord(u) && Object.values(u).every(check);
const listOf =
  (check: Check): Check =>
  (u) =>
    Array.isArray(u) && u.every(check);

const isNumbers: Check = (u) => isNumber(u) || listOf(isNumber)(u);

const BYTES = 'bytes: a Uint8Array, such as readFile of node:fs/promises gives';
const ARRAY = `${BYTES}, of an .npy file, or an array as readNpy gives it`;

/** What every property must be, in words too. The values of options are checked where they are read. */
const PROPERTIES: Readonly<Record<keyof CompileInput, readonly [Check, string]>> = {
  checkpoint: [isBytes, BYTES],
  checkpointName: [isText, 'a string'],
  files: [recordOf(isBytes), `an object from names to ${BYTES}`],
  calibration: [isArrayData, ARRAY],
  data: [recordOf(isArrayData), `an object from names to ${ARRAY}`],
  family: [isText, 'a string'],
  baseActivation: [isText, 'a string'],
  rbf: [isText, 'a string'],
  rbfWidth: [isNumber, 'a number'],
  squash: [isText, 'a string'],
  normEpsilon: [isNumber, 'a number'],
  inputFeatures: [isNumber, 'a number'],
  inputShape: [listOf(isNumber), 'an array of numbers'],
  architecture: [isText, 'the text of an architecture file'],
  prefix: [isText, 'a string'],
  ignoreExtra: [isFlag, 'true or false'],
  target: [isText, 'the name of a target'],
  singleFile: [isFlag, 'true or false'],
  extraPasses: [listOf(isRecord), 'an array of passes'],
  verifyEach: [isFlag, 'true or false'],
  inputDtype: [isText, "'f32' or 'u8'"],
  inputLayout: [isText, "'nchw' or 'nhwc'"],
  inputMean: [isNumbers, 'a number, or one for each channel'],
  inputStd: [isNumbers, 'a number, or one for each channel'],
  quant: [recordOf((u) => isText(u) || isNumber(u)), 'an object of numbers and strings'],
  form: [isText, "'auto', 'edge' or 'basis'"],
  ranges: [isText, 'a string'],
  quantizer: [isText, 'a string'],
  outOfRange: [isText, "'clamp' or 'extend'"],
  nan: [isText, "'zero' or 'refuse'"],
  budgetMem: [isText, 'a string such as 4MB'],
  passes: [isText, 'the text of a pipeline'],
};

const isProperty = (key: string): key is keyof CompileInput => Object.hasOwn(PROPERTIES, key);

/** What a value is, in a few words. */
const kindOf = (u: unknown): string => {
  if (typeof u === 'string') return `the string '${printable(u, 60)}'`;
  if (typeof u !== 'object') return u === undefined ? 'nothing' : `a ${typeof u}`;
  return u === null ? 'null' : `a ${printable(u.constructor?.name ?? 'record', 60)}`;
};

const wrong = (key: string, found: unknown, expected: string): Checked<never> =>
  fail('K0801', `compile was given ${kindOf(found)} as '${printable(key, 60)}'`, { expected });

/** K0801 on what is missing, of another type, or known to nobody. */
export const checkCompileInput = (input: unknown): Checked<void> => {
  if (!isRecord(input)) {
    return fail('K0801', `compile was given ${kindOf(input)}`, {
      expected: 'an object such as { checkpoint: bytes }',
    });
  }
  if (input['checkpoint'] === undefined) return wrong('checkpoint', undefined, BYTES);
  for (const [key, value] of Object.entries(input)) {
    if (value === undefined) continue;
    if (!isProperty(key)) return wrong(key, value, `one of ${Object.keys(PROPERTIES).join(', ')}`);
    const [check, expected] = PROPERTIES[key];
    if (!check(value)) return wrong(key, value, expected);
  }
  return E.right(undefined);
};
