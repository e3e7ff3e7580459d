/** Files of data: an .npy array, or one of an .npz archive; anything else is refused by what it is. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, printable } from '../../diagnostics/index.js';
import { listed } from '../listed.js';
import { otherThanArray } from './array-sniff.js';
import { isNpy, type NpyArray, readNpy } from './npy/index.js';
import { isZip, readZip, readZipEntry, type ZipArchive } from './zip.js';

const SUFFIX = '.npy';

/** The arrays of an archive that numpy.savez wrote, by name; undefined where it is another kind of zip. */
const namesOf = ({ entries }: ZipArchive): ReadonlyArray<string> | undefined => {
  const names = [...entries.keys()];
  return names.length > 0 && names.every((name) => name.endsWith(SUFFIX))
    ? names.map((name) => name.slice(0, -SUFFIX.length))
    : undefined;
};

const shown = (names: ReadonlyArray<string>): string => listed(names, 12, (name) => printable(name, 40));

/** One array of an archive: the one that is named, or the only one. */
const readMember = (
  archive: ZipArchive,
  names: ReadonlyArray<string>,
  member?: string,
): Checked<NpyArray> => {
  const [only, ...others] = names;
  if (member === undefined && others.length > 0) {
    return fail('K0704', `the .npz archive holds ${names.length} arrays: ${shown(names)}`, {
      expected: 'the name of one of them behind the file',
      hint: `Give it as FILE.npz:NAME, such as FILE.npz:${printable(only ?? '', 40)}.`,
    });
  }
  const entry = archive.entries.get(`${member ?? only}${SUFFIX}`);
  if (entry === undefined) {
    return fail('K0704', `the .npz archive holds no array '${printable(member ?? '', 60)}'`, {
      expected: `one of ${shown(names)}`,
    });
  }
  return E.chain(readNpy)(readZipEntry(archive, entry));
};

/**
 * Reads an .npy file, or an array of an .npz archive: `member` names it where there are several. Told by content, whatever
 * the file is called. Fails with K0704 for other files, else as the readers of arrays and archives do.
 */
export const readArrayFile = (bytes: Uint8Array, member?: string): Checked<NpyArray> => {
  if (isZip(bytes)) {
    const archive = readZip(bytes);
    if (E.isLeft(archive)) return archive;
    const names = namesOf(archive.right);
    if (names !== undefined) return readMember(archive.right, names, member);
    const { what, hint } = otherThanArray(bytes, [...archive.right.entries.keys()]);
    return fail('K0704', `the file is ${what}`, { expected: EXPECTED, hint });
  }
  if (member !== undefined) {
    return fail('K0704', `the file is no .npz archive, so there is no '${printable(member, 60)}' in it`, {
      expected: EXPECTED,
    });
  }
  if (isNpy(bytes)) return readNpy(bytes);
  const { what, hint } = otherThanArray(bytes, []);
  return fail('K0704', `the file is ${what}`, { expected: EXPECTED, hint });
};

const EXPECTED = 'an .npy file, or an .npz archive';
