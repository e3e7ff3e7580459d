/** The macro that tells the build of a design: defines.h has it, and every other file checks it. */
import { buildCheck } from '../cpp/build.js';
import type { Code } from '../cpp/code.js';
import type { Design } from './design.js';

export const buildMacro = ({ name }: Pick<Design, 'name'>): string => `${name.toUpperCase()}_BUILD`;

/** In a file that includes defines.h: whether both are of one build. A second design in one source file is noticed too. */
export const checkDefines = (design: Pick<Design, 'name'>, file: string): Code =>
  buildCheck(buildMacro(design), `${file} and the defines.h that was included`);
