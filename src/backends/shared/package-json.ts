/**
 * The package.json of artifacts that are JavaScript: it says that index.js is a module whatever the project around it is, and
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
