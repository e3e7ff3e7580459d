export { load, load as default } from './load.js';
export { loadPool } from './pool.js';
