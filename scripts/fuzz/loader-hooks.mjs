/** What loader.mjs registers. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';

const isOurs = (url) => url.startsWith('file:') && !url.includes('/node_modules/');

/** Sources import `x.js` and mean `x.ts`. */
export const resolve = async (specifier, context, next) => {
  try {
    return await next(specifier, context);
  } catch (error) {
    const parent = context.parentURL;
    if (!specifier.endsWith('.js') || parent === undefined || !isOurs(parent)) throw error;
    return next(`${specifier.slice(0, -3)}.ts`, context);
  }
};

export const load = async (url, context, next) => {
  if (!url.endsWith('.ts') || !isOurs(url)) return next(url, context);
  const path = fileURLToPath(url);
  const { code } = await transform(await readFile(path, 'utf8'), {
    loader: 'ts',
    format: 'esm',
    target: 'node20',
    sourcefile: path,
  });
  return { format: 'module', source: code, shortCircuit: true };
};
