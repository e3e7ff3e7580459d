/**
 * Programs of torch.export (.pt2). Their weights lie beside the program as plain bytes, with a table of names, types and
 * shapes in JSON; before torch 2.8 as one state dict that torch.save wrote. The program itself is not read.
 */
import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { at, type Checked, fail, printable } from '../../../diagnostics/index.js';
import { integer } from '../../../ir/codec.js';
import { parseJson } from '../../../ir/strict-json.js';
import { decodeUtf8, elementCount, MAX_DIMENSIONS } from '../bytes.js';
import { type Checkpoint, checkpointOf } from '../checkpoint.js';
import { DTYPE_BYTES, decodeValues } from '../dtype.js';
import { gather, viewEnd } from '../strided.js';
import type { ContainerDtype, FileTensor } from '../tensor.js';
import { readZipEntry, type ZipArchive, type ZipEntry } from '../zip.js';

const TABLE = /^((?:[^/]+\/)?data\/weights\/)model_weights_config\.json$/;
const STATE_DICT = /^(?:[^/]+\/)?serialized_state_dict\.pt$/;

/** The numbers of types in torch.export's own schema. */
const DTYPES: ReadonlyMap<number, ContainerDtype> = new Map([
  [1, 'U8'],
  [2, 'I8'],
  [3, 'I16'],
  [4, 'I32'],
  [5, 'I64'],
  [6, 'F16'],
  [7, 'F32'],
  [8, 'F64'],
  [12, 'BOOL'],
  [13, 'BF16'],
  [28, 'U16'],
  [29, 'F8_E4M3'],
  [30, 'F8_E5M2'],
]);

const Natural = integer(0, Number.MAX_SAFE_INTEGER);
const Size = t.type({ as_int: Natural });

const Table = t.type({
  config: t.record(
    t.string,
    t.type({
      path_name: t.string,
      use_pickle: t.boolean,
      tensor_meta: t.type({
        dtype: Natural,
        sizes: t.array(Size),
        strides: t.array(Size),
        storage_offset: Size,
      }),
    }),
  ),
});

type Row = t.TypeOf<typeof Table>['config'][string];

/** The weights of a program: the entry with their table, or the entry that is a torch file of its own. */
export const exportedWeights = (
  archive: ZipArchive,
): { readonly table: ZipEntry; readonly folder: string } | { readonly stateDict: ZipEntry } | undefined => {
  for (const [name, entry] of archive.entries) {
    const folder = TABLE.exec(name)?.[1];
    if (folder !== undefined) return { table: entry, folder };
    if (STATE_DICT.test(name)) return { stateDict: entry };
  }
  return undefined;
};

const readTable = (archive: ZipArchive, entry: ZipEntry): Checked<ReadonlyMap<string, Row>> => {
  const bytes = readZipEntry(archive, entry);
  if (E.isLeft(bytes)) return bytes;
  const text = decodeUtf8(bytes.right);
  const json = text === undefined ? E.left('it is not UTF-8') : parseJson(text);
  if (E.isLeft(json)) return fail('K0110', `The table of weights cannot be read: ${json.left}`);
  const table = Table.decode(json.right);
  return E.isLeft(table)
    ? fail('K0110', 'The table of weights is not as torch.export writes it', {
        expected: 'for each weight its file, type, sizes, strides and offset',
      })
    : E.right(new Map(Object.entries(table.right.config)));
};

const readWeight = (archive: ZipArchive, folder: string, row: Row): Checked<FileTensor> => {
  const { dtype: code, sizes, strides, storage_offset } = row.tensor_meta;
  const dtype = DTYPES.get(code);
  if (dtype === undefined || row.use_pickle) {
    return fail(
      'K0112',
      row.use_pickle ? 'It is kept as a Python object' : `Its data type has the number ${code}`,
      {
        expected: 'plain numbers',
        hint: 'Save the weights of the module before it is exported: torch.save(model.state_dict(), path).',
      },
    );
  }
  const entry = archive.entries.get(folder + row.path_name);
  if (entry === undefined)
    return fail('K0109', `Its file ${printable(row.path_name, 60)} is not in the archive`);
  const bytes = readZipEntry(archive, entry);
  if (E.isLeft(bytes)) return bytes;
  const shape = sizes.map((s) => s.as_int);
  const view = { offset: storage_offset.as_int, shape, strides: strides.map((s) => s.as_int) };
  const count = elementCount(shape);
  const size = DTYPE_BYTES[dtype];
  if (count === undefined || shape.length > MAX_DIMENSIONS || view.strides.length !== shape.length) {
    return fail('K0108', 'Its sizes and strides are not those of a tensor');
  }
  // No weight is larger than its file: views that repeat elements are of no module.
  if (count * size > bytes.right.length || (count > 0 && viewEnd(view) * size > bytes.right.length)) {
    return fail('K0109', `It has ${count} elements, and its file ${bytes.right.length} bytes`);
  }
  return E.map((data: FileTensor['data']): FileTensor => ({ dtype, shape, data }))(
    decodeValues(dtype, gather(bytes.right, size, view, count), true),
  );
};

/** Reads the weights that a table names. K0108 to K0112 where they are not as it says. */
export const openExported = (archive: ZipArchive, table: ZipEntry, folder: string): Checked<Checkpoint> => {
  const rows = readTable(archive, table);
  if (E.isLeft(rows)) return rows;
  const tensors = new Map<string, FileTensor>();
  for (const [name, row] of rows.right) {
    const tensor = at({ tensor: name })(readWeight(archive, folder, row));
    if (E.isLeft(tensor)) return tensor;
    tensors.set(name, tensor.right);
  }
  return tensors.size > 0
    ? E.right(checkpointOf({ container: 'torch-export', tensors, metadata: new Map() }))
    : fail('K0201', 'The program of torch.export has no weights');
};
