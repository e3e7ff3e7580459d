/**
 * Runs TypeScript as it stands: `node --import ./scripts/fuzz/loader.mjs FILE.ts`. As tsx does, but functions made in
 * inner loops are not given their names one by one, which takes more than half of the time of a pass.
 */
import { register } from 'node:module';

register('./loader-hooks.mjs', import.meta.url);
