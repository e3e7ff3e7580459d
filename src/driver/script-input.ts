/** What a script gives to `compile`, and whether it is what the types say: JavaScript does not check them. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, printable } from '../diagnostics/index.js';
import type { NpyArray } from '../importers/containers/npy/index.js';
import { type ImportOptions, type OptionKind, readingOptions, type ToldKey } from '../importers/family.js';
import type { NamedPass } from '../passes/registry.js';
import type { CompileOptions } from './compile-options.js';
import type { InputLayout } from './input-layout.js';

/** The bytes of an .npy file (or of an .npz archive of one array), or an array as `readNpy` gives it; samples first. */
export type ArrayData = Uint8Array | NpyArray;

export interface CompileInput extends Omit<CompileOptions, 'calib'>, Pick<ImportOptions, ToldKey> {
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
  /** The text of an architecture file. */
  readonly architecture?: string;
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

/** What scripts give for an option of a kind; files are texts. */
const OF_KIND: Readonly<Record<OptionKind, readonly [Check, string]>> = {
  text: [isText, 'a string'],
  number: [isNumber, 'a number'],
  count: [isNumber, 'a number'],
  shape: [listOf(isNumber), 'an array of numbers'],
  flag: [isFlag, 'true or false'],
  file: [isText, 'a text'],
};

/** What every property must be, in words too. The values of options are checked where they are read. */
const OWN: Readonly<Record<Exclude<keyof CompileInput, ToldKey>, readonly [Check, string]>> = {
  checkpoint: [isBytes, BYTES],
  checkpointName: [isText, 'a string'],
  files: [recordOf(isBytes), `an object from names to ${BYTES}`],
  calibration: [isArrayData, ARRAY],
  data: [recordOf(isArrayData), `an object from names to ${ARRAY}`],
  architecture: [isText, 'the text of an architecture file'],
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

const PROPERTIES: ReadonlyMap<string, readonly [Check, string]> = new Map([
  ...readingOptions().map(([key, { kind }]) => [key, OF_KIND[kind]] as const),
  ...Object.entries(OWN),
]);

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
    const property = PROPERTIES.get(key);
    if (property === undefined) return wrong(key, value, `one of ${[...PROPERTIES.keys()].join(', ')}`);
    const [check, expected] = property;
    if (!check(value)) return wrong(key, value, expected);
  }
  return E.right(undefined);
};
