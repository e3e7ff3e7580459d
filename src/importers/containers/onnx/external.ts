/** Constants whose numbers lie in files beside the model. */
import { printable } from '../../../diagnostics/index.js';
import type { Beside } from './reader.js';
import { bytesOf, integerOf, type Message, messageOf, nameOf, OnnxFault } from './wire.js';

/** Where data lie beside the model. */
export interface External {
  readonly location: string;
  readonly offset: number;
  /** Absent: to the end of the file. */
  readonly length?: number;
}

/** TensorProto: entries of external_data, and data_location. */
export const EXTERNAL = { entries: 13, location: 14 } as const;

/** StringStringEntryProto. */
const ENTRY: ReadonlySet<number> = new Set([1, 2]);

const isPlainPart = (part: string): boolean =>
  /^[^\\/:*?"<>|]+$/.test(part) && part !== '..' && part !== '.' && !isControl(part);

const isControl = (text: string): boolean => [...text].some((c) => c < ' ');

/** A name of a file in the folder of the model or below it, and none that leads elsewhere. */
const isPlainPath = (path: string): boolean => path.length <= 400 && path.split('/').every(isPlainPart);

/** Where the numbers of a tensor lie, if not in it. Throws K0118 for places out of the folder of the model. */
export const externalOf = (message: Message, what: string): External | undefined => {
  if (integerOf(message, EXTERNAL.location) !== 1) return undefined;
  const entries = new Map(
    bytesOf(message, EXTERNAL.entries).map((bytes) => {
      const entry = messageOf(bytes, what, ENTRY);
      return [nameOf(entry, 1), nameOf(entry, 2)] as const;
    }),
  );
  const location = (entries.get('location') ?? '').replace(/^\.\//, '');
  if (!isPlainPath(location)) {
    throw new OnnxFault('K0118', `its data are said to be in '${printable(location, 80)}'`, {
      place: { tensor: what },
      expected: 'the name of a file in the folder of the model',
    });
  }
  const number = (key: string): number | undefined => {
    const text = entries.get(key);
    if (text === undefined) return undefined;
    if (!/^\d{1,15}$/.test(text)) {
      throw new OnnxFault('K0118', `the ${key} of its data is '${printable(text, 40)}'`, {
        place: { tensor: what },
      });
    }
    return Number(text);
  };
  const length = number('length');
  return { location, offset: number('offset') ?? 0, ...(length === undefined ? {} : { length }) };
};

/** The bytes of a tensor in a file beside the model. Throws K0118 where they are not there. */
export const externalBytes = (external: External, beside: Beside, what: string): Uint8Array => {
  const { location, offset, length } = external;
  const file = beside.get(location);
  const name = printable(location, 80);
  if (file === undefined) {
    throw new OnnxFault('K0118', `its data are in '${name}', which is not beside the model`, {
      place: { tensor: what },
      hint: `Keep ${name} in the folder of the model, under the name that it was written with.`,
    });
  }
  const end = offset + (length ?? Math.max(file.length - offset, 0));
  if (end > file.length) {
    throw new OnnxFault('K0118', `its data end at byte ${end} of '${name}', which has ${file.length}`, {
      place: { tensor: what },
      hint: 'The two files are not of one export, or one of them was cut off.',
    });
  }
  return file.subarray(offset, end);
};
