/** Compiles the Fashion-MNIST example twice and serves the page: `node examples/browser-webgpu/serve.mjs [port]`. */
import { join } from 'node:path';
import { compileFashion, root, serveFolders } from '../serve-page.mjs';

serveFolders([
  ['/wasm/', compileFashion('wasm')],
  ['/webgpu/', compileFashion('wgsl')],
  ['/shared/', join(root, 'examples/shared')],
  ['/data/', join(root, 'examples/data/fashion-mnist')],
  ['/', join(root, 'examples/browser-webgpu')],
]);
