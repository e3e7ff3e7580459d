/** Whether what a script gave is what the types say: JavaScript does not check them. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, printable } from '../diagnostics/index.js';
import type { CompileInput } from './compile-input.js';

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
