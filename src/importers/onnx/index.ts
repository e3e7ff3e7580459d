export { bakedBatch, declaredBatch, type ProgramOptions, programOf } from './program-of.js';
