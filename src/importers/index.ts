/** Checkpoints in, graphs out. */
export { type Architecture, decodeArchitecture, parseArchitecture } from './arch/architecture.js';
export {
  checkedDraft,
  draftArchitecture,
  type Golden,
  goldenOf,
  showArchitecture,
} from './arch/draft/index.js';
export type { LayerSpec } from './arch/layers.js';
export * from './containers/index.js';
export * from './describe.js';
export * from './family.js';
export * from './import.js';
export * from './source.js';
