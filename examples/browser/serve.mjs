/** Compiles the Fashion-MNIST example and serves the page: `node examples/browser/serve.mjs [port]`. */
import { join } from 'node:path';
import { compileFashion, root, serveFolders } from '../serve-page.mjs';

serveFolders([
  ['/artifact/', compileFashion('wasm')],
  ['/shared/', join(root, 'examples/shared')],
  ['/data/', join(root, 'examples/data/fashion-mnist')],
  ['/', join(root, 'examples/browser')],
]);
