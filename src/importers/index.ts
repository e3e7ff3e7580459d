/** Checkpoints in, float graphs out. */
export * from './containers/index.js';
export * from './family.js';
export * from './import.js';
