/** What artifacts that are JavaScript have in common, beside the code of their loaders (web/loaders). */

/** JSON is JavaScript, but for what could end a script element of a page that inlines the file. */
export const literal = (data: unknown, indent = 2): string =>
  JSON.stringify(data, null, indent).replaceAll('<', '\\u003c');

/**
 * package.json says that index.js is a module whatever the project around it is, and
 * makes of the folder a package that others can depend on. No name and no version: the folder has neither.
 */
export const PACKAGE_JSON = `${JSON.stringify(
  {
    type: 'module',
    main: './index.js',
    types: './index.d.ts',
    exports: { '.': { types: './index.d.ts', default: './index.js' }, './*': './*' },
  },
  null,
  2,
)}\n`;
