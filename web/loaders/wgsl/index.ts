export { load, load as default } from './model.js';
