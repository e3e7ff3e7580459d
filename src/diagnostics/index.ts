export * from './catalog.js';
export * from './defined.js';
export * from './diagnostic.js';
export * from './rule.js';
export * from './steps.js';
