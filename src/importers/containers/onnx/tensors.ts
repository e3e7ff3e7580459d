/** TensorProto: the constants of a graph, inside of the file or in files beside it. */
import { printable } from '../../../diagnostics/index.js';
import { elementCount } from '../bytes.js';
import {
  BYTES_OF,
  elementOf,
  fromBytes,
  fromFields,
  NUMBERS,
  READ_ELEMENTS,
  unreadElement,
} from './elements.js';
import { EXTERNAL, externalBytes, externalOf } from './external.js';
import type { OnnxTensor } from './model.js';
import { MOST_ELEMENTS, type Reader, spendElements } from './reader.js';
import { integerOf, integersOf, lastBytes, type Message, messageOf, nameOf, OnnxFault } from './wire.js';

const FIELDS = { dims: 1, type: 2, segment: 3, texts: 6, name: 8, raw: 9 } as const;

const WANTED: ReadonlySet<number> = new Set([FIELDS, NUMBERS, EXTERNAL].flatMap((f) => Object.values(f)));

/** The files that a tensor's data lie in. */
export const externalFile = (bytes: Uint8Array): string | undefined => {
  const message = messageOf(bytes, 'a tensor', WANTED);
  return externalOf(message, printable(nameOf(message, FIELDS.name), 80))?.location;
};

interface Sized {
  readonly shape: ReadonlyArray<number>;
  readonly count: number;
}

const sizeOf = (message: Message, what: string): Sized => {
  const shape = [...integersOf(message, FIELDS.dims, what)];
  const count = elementCount(shape);
  if (count === undefined || count > MOST_ELEMENTS) {
    throw new OnnxFault('K0113', `has the shape ${shown(shape)}`, {
      place: { tensor: what },
      expected: `at most ${MOST_ELEMENTS} elements`,
    });
  }
  return { shape, count };
};

const shown = (shape: ReadonlyArray<number>): string =>
  `[${shape.slice(0, 8).join(', ')}${shape.length > 8 ? ', ...' : ''}]`;

/** A tensor with its numbers. `other` names it where it has no name itself. */
export const tensorOf = (bytes: Uint8Array, reader: Reader, other: string): OnnxTensor => {
  const message = messageOf(bytes, `the tensor of ${other}`, WANTED);
  const name = nameOf(message, FIELDS.name);
  const what = name === '' ? other : printable(name, 80);
  const type = integerOf(message, FIELDS.type) ?? 0;
  const element = elementOf(type);
  if (element === undefined || message.has(FIELDS.segment)) {
    throw new OnnxFault(
      'K0112',
      `holds ${element === undefined ? unreadElement(type) : 'a segment of a tensor'}`,
      {
        place: { tensor: what },
        expected: `one of ${READ_ELEMENTS}`,
        hint: 'Convert it to float before the export.',
      },
    );
  }
  const { shape, count } = sizeOf(message, what);
  spendElements(reader, count, what);
  const external = externalOf(message, what);
  const raw =
    external === undefined ? lastBytes(message, FIELDS.raw) : externalBytes(external, reader.beside, what);
  if (raw !== undefined) {
    // Sizes are compared before anything is allocated.
    if (raw.length !== count * BYTES_OF[element])
      throw wrongSize(what, shape, `${raw.length} bytes of ${element}`);
    return { name, element, shape, data: fromBytes(raw, element) };
  }
  const data = fromFields(message, element, what);
  if (data.length !== count) throw wrongSize(what, shape, `${data.length} numbers of ${element}`);
  return { name, element, shape, data };
};

const wrongSize = (what: string, shape: ReadonlyArray<number>, found: string): OnnxFault =>
  new OnnxFault('K0117', `has ${found} for the shape ${shown(shape)}`, {
    place: { tensor: what },
    hint: 'Fetch or export the file again, and compare sizes.',
  });
