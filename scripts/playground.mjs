/** Builds the playground and serves it: `node scripts/playground.mjs [port]`. Any static web server does. */
import { join } from 'node:path';
import { root, serveFolders } from '../examples/serve-page.mjs';
import { buildPlayground } from './build-playground.mjs';

const folder = join(root, 'playground/dist');
await buildPlayground(folder);
serveFolders([['/', folder]]);
