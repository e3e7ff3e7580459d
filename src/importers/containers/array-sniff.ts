/** What people give as data that is no array of numpy, and how to store it as one. */
import { decodeUtf8, hasAscii } from './bytes.js';
import { sniff } from './sniff.js';

export interface Other {
  readonly what: string;
  readonly hint: string;
}

/** One line of Python, to be copied. */
const python = (code: string): string => `python3 -c "${code}"`;

const AS_ARRAY = "Store the numbers with numpy.save('x.npy', array).";

const FROM_TORCH = `Store the tensor as an array: ${python(
  "import numpy, torch; numpy.save('x.npy', torch.load('x.pt', map_location='cpu').detach().numpy())",
)}; where the file holds several, the one that is meant, as torch.load(...)['x'].`;

const FROM_PICKLE = `Where you trust it (pickles run code), store it as an array: ${python(
  "import numpy; numpy.save('x.npy', numpy.asarray(numpy.load('x.pkl', allow_pickle=True), 'float32'))",
)}; where it holds several arrays, the one that is meant, as numpy.load(...)['x'].`;

/** Formats that data come in, by their first bytes. First match wins. */
const BINARY: ReadonlyArray<readonly [string, number, string, string]> = [
  [
    '\x89HDF\r\n\x1a\n',
    0,
    'an HDF5 file (.h5, .hdf5, .mat)',
    `Store the set that is meant: ${python(
      "import h5py, numpy; numpy.save('x.npy', h5py.File('x.h5')['x'][:])",
    )}.`,
  ],
  [
    'MATLAB 5.0',
    0,
    'a MATLAB file',
    `Store the variable that is meant: ${python(
      "import numpy, scipy.io; numpy.save('x.npy', scipy.io.loadmat('x.mat')['x'])",
    )}.`,
  ],
  [
    'PAR1',
    0,
    'a Parquet file',
    `Store its columns: ${python(
      "import numpy, pandas; numpy.save('x.npy', pandas.read_parquet('x.parquet').to_numpy('float32'))",
    )}.`,
  ],
  ['\x89PNG', 0, 'a picture (PNG)', 'Store all pictures as one uint8 array, samples first.'],
  ['\xff\xd8\xff', 0, 'a picture (JPEG)', 'Store all pictures as one uint8 array, samples first.'],
  ['GIF8', 0, 'a picture (GIF)', 'Store all pictures as one uint8 array, samples first.'],
  ['BM', 0, 'a picture (BMP)', 'Store all pictures as one uint8 array, samples first.'],
];

/** How much of a text is looked at. */
const BEGINNING = 65_536;

/** The beginning of a file as lines; undefined where it is no text. A last line that may be cut off is left out. */
const linesOf = (bytes: Uint8Array): ReadonlyArray<string> | undefined => {
  // A character of UTF-8 may be cut in two.
  const ends = bytes.length > BEGINNING ? [0, 1, 2, 3] : [0];
  const text = ends
    .map((less) => decodeUtf8(bytes.subarray(0, Math.min(bytes.length, BEGINNING) - less)))
    .find((t) => t !== undefined);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what texts do not hold.
  if (text === undefined || text.trim() === '' || /[\x00-\x08\x0e-\x1f]/.test(text)) return undefined;
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
  return (lines.length > 1 ? lines.slice(0, -1) : lines).filter((line) => line.trim() !== '');
};

interface Separator {
  readonly text: string;
  readonly pattern: RegExp;
  /** What may stand for the point in 1.5. */
  readonly decimals: ReadonlyArray<'.' | ','>;
}

const SEPARATORS: ReadonlyArray<Separator> = [
  { text: ';', pattern: /;/, decimals: ['.', ','] },
  { text: '\\t', pattern: /\t/, decimals: ['.', ','] },
  { text: ',', pattern: /,/, decimals: ['.'] },
  { text: '', pattern: / +/, decimals: ['.'] },
];

const isNumber = (cell: string): boolean =>
  /^[+-]?(?:\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|nan|inf)$/i.test(cell);

type Cells = ReadonlyArray<ReadonlyArray<string>>;

const cellsOf = (lines: ReadonlyArray<string>, pattern: RegExp, decimal: '.' | ','): Cells =>
  lines.map((line) =>
    line
      .trim()
      .split(pattern)
      .map((cell) => cell.trim().replace(/^"|"$/g, '').replace(decimal, '.')),
  );

const isTable = (cells: Cells, { text }: Separator): boolean => {
  const width = cells[0]!.length;
  return (text === '' || width > 1) && cells.every((row) => row.length === width && row.some(isNumber));
};

/** How numpy reads such a table. `loadtxt` knows quotes and keeps tables of one line; `genfromtxt` takes gaps. */
const readingOf = (
  { text }: Separator,
  quoted: boolean,
  named: boolean,
  gaps: boolean,
  decimal: '.' | ',',
): string => {
  const file = decimal === '.' ? "'x.csv'" : "[l.replace(',', '.') for l in open('x.csv')]";
  const own = gaps && !quoted;
  const options = [
    ...(text === '' ? [] : [`delimiter='${text}'`]),
    ...(named ? [`${own ? 'skip_header' : 'skiprows'}=1`] : []),
    ...(quoted ? ['quotechar=chr(34)'] : []),
    ...(own ? [] : ['ndmin=2']),
    "dtype='float32'",
  ].join(', ');
  return own
    ? `x = numpy.genfromtxt(${file}, ${options}); numpy.save('x.npy', x.reshape(len(x), -1))`
    : `numpy.save('x.npy', numpy.loadtxt(${file}, ${options}))`;
};

const GAPS = ' (words and empty cells become NaN: choose columns of numbers with usecols)';
const QUOTED_GAPS = ' (choose the columns of numbers with usecols)';

/** A table of numbers as text, told by its separator and whether its first line holds names. */
const tableOf = (lines: ReadonlyArray<string>): Other | undefined => {
  const [first, ...rest] = lines;
  if (first === undefined) return undefined;
  const body = (rest.length > 0 ? rest : [first]).slice(0, 20);
  for (const separator of SEPARATORS) {
    for (const decimal of separator.decimals) {
      const cells = cellsOf(body, separator.pattern, decimal);
      if (!isTable(cells, separator)) continue;
      const isFull = (rows: Cells): boolean => rows.every((row) => row.every(isNumber));
      const named = !isFull(cellsOf([first], separator.pattern, decimal)) && rest.length > 0;
      const [quoted, gaps] = [body.some((line) => line.includes('"')), !isFull(cells)];
      const code = readingOf(separator, quoted, named, gaps, decimal);
      return {
        what: `a table as text${separator.text === ',' ? ' (CSV)' : ''}${named ? ', with a line of names' : ''}`,
        hint: `Store its numbers${gaps ? (quoted ? QUOTED_GAPS : GAPS) : ''}: ${python(`import numpy; ${code}`)}; labels likewise with dtype='int64'.`,
      };
    }
  }
  return undefined;
};

/** Zip archives that hold no arrays, by the names in them. */
const otherZip = (names: ReadonlyArray<string>): Other => {
  const has = (pattern: RegExp): boolean => names.some((name) => pattern.test(name));
  if (has(/(?:^|\/)data\.pkl$/)) return { what: 'a file that torch.save wrote', hint: FROM_TORCH };
  if (has(/^model\.weights\.h5$/)) {
    return { what: 'a Keras model', hint: `Data are wanted here, not a network. ${AS_ARRAY}` };
  }
  if (has(/^xl\/workbook/)) {
    return {
      what: 'an Excel workbook',
      hint: `Store its numbers: ${python(
        "import numpy, pandas; numpy.save('x.npy', pandas.read_excel('x.xlsx').to_numpy('float32'))",
      )}.`,
    };
  }
  return { what: 'a zip archive that holds other things than arrays', hint: AS_ARRAY };
};

/** What a file that is no .npy file is; `members`: the names in it, where it is a zip archive. */
export const otherThanArray = (bytes: Uint8Array, members: ReadonlyArray<string>): Other => {
  if (members.length > 0) return otherZip(members);
  const known = BINARY.find(([magic, at]) => hasAscii(bytes, at, magic));
  if (known !== undefined) return { what: known[2], hint: known[3] };
  const sniffed = sniff(bytes);
  if (sniffed.kind === 'safetensors') {
    return {
      what: 'a safetensors file',
      hint: `Store the tensor that is meant: ${python(
        "import numpy; from safetensors.numpy import load_file; numpy.save('x.npy', load_file('x.safetensors')['x'])",
      )}.`,
    };
  }
  if (sniffed.kind === 'pickle') {
    return isOldTorch(bytes)
      ? { what: 'a file that torch.save wrote', hint: FROM_TORCH }
      : { what: 'a pickle', hint: FROM_PICKLE };
  }
  const lines = linesOf(bytes);
  const table = lines === undefined ? undefined : tableOf(lines);
  if (table !== undefined) return table;
  if (sniffed.kind !== 'other') return { what: 'an empty zip archive', hint: AS_ARRAY };
  return { what: sniffed.what, hint: sniffed.what === 'compressed' ? 'Decompress it first.' : AS_ARRAY };
};

/** The magic number 0x1950a86a20f9469cfc6c that torch wrote first, before 1.6, as a pickle of ten bytes. */
const isOldTorch = (bytes: Uint8Array): boolean =>
  hasAscii(bytes, 2, '\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19');
