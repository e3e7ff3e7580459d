/** What a person does about files that do not belong together. */
export const AGAIN = 'reload the page, or deploy the files of one compilation again';

/** null, undefined, the class of an object, or the type of anything else. */
export const kindOf = (value: unknown): string =>
  typeof value === 'object' ? (value?.constructor?.name ?? 'null') : typeof value;

export const messageOf = (error: unknown): string => (error as Error | undefined)?.message ?? String(error);

export const isPage = (bytes: Uint8Array): boolean =>
  /^\s*<(!doctype|html|head|body)/i.test(new TextDecoder().decode(bytes.subarray(0, 200)));
export const pageFor = (file: string): string =>
  `a page of HTML in place of ${file}, as servers send where a file is missing`;
