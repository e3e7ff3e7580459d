/** Files that were dropped, folders opened: libraries write several files, and people drop the folder. */
import type { NamedFile } from '../shared/protocol.js';

/** More than any checkpoint has; a home folder dropped by mistake has more. */
const MOST = 200;

const fileOf = (entry: FileSystemFileEntry): Promise<NamedFile> =>
  new Promise((resolve, reject) => {
    entry.file((content) => resolve({ name: entry.name, content }), reject);
  });

const entriesOf = (folder: FileSystemDirectoryEntry): Promise<ReadonlyArray<FileSystemEntry>> =>
  new Promise((resolve, reject) => {
    const reader = folder.createReader();
    const found: FileSystemEntry[] = [];
    // A reader gives some at a time, and none at the end.
    const more = (): void =>
      reader.readEntries((some) => {
        found.push(...some);
        if (some.length === 0 || found.length > MOST) resolve(found);
        else more();
      }, reject);
    more();
  });

const isFile = (entry: FileSystemEntry): entry is FileSystemFileEntry => entry.isFile;
const isFolder = (entry: FileSystemEntry): entry is FileSystemDirectoryEntry => entry.isDirectory;

/** The files of an entry; of a folder those right in it. */
const filesOf = async (entry: FileSystemEntry): Promise<ReadonlyArray<NamedFile>> => {
  if (isFile(entry)) return [await fileOf(entry)];
  if (!isFolder(entry)) return [];
  return Promise.all((await entriesOf(entry)).filter(isFile).slice(0, MOST).map(fileOf));
};

/** What was dropped. Must be called while the event is handled: afterwards the items are gone. */
export const droppedFiles = async (transfer: DataTransfer): Promise<ReadonlyArray<NamedFile>> => {
  const entries = [...transfer.items].flatMap((item) => {
    const entry = item.kind === 'file' ? item.webkitGetAsEntry() : null;
    return entry === null ? [] : [entry];
  });
  const plain = [...transfer.files].map((file) => ({ name: file.name, content: file }));
  return entries.length === 0 ? plain : (await Promise.all(entries.map(filesOf))).flat();
};

/** Files of later drops replace those of the same name. */
export const merged = (
  before: ReadonlyArray<NamedFile>,
  added: ReadonlyArray<NamedFile>,
): ReadonlyArray<NamedFile> => {
  const names = new Set(added.map(({ name }) => name));
  return [...before.filter(({ name }) => !names.has(name)), ...added];
};
