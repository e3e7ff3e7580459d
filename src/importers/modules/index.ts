/** Whole modules as a family: the classes of their modules say which layers there are, and their order. */
import * as E from 'fp-ts/lib/Either.js';
import { buildArchitecture } from '../arch/build.js';
import type { Assumption, Family, Reading } from '../family.js';
import { networkOfModules } from './network.js';

/** Programs of TorchScript have only the classes of their modules and their tensors as data. */
const PROGRAM: Assumption = {
  what: 'what a TorchScript program does with its modules, and the settings of these, stand in its code, which is not read',
  assumed: 'modules as torch defines them, with its usual settings',
  option: '--arch',
};

export const wholeModule: Family = {
  name: 'module',
  recognises: ({ modules }) => modules !== undefined,
  read: (file, options) => {
    const network = networkOfModules(file, options);
    if (E.isLeft(network)) return network;
    const { architecture, assumptions } = network.right;
    const program = file.container === 'torchscript' ? [PROGRAM] : [];
    return E.map((read: Reading) => ({
      ...read,
      assumptions: [...program, ...assumptions, ...read.assumptions],
    }))(buildArchitecture(architecture, file, options));
  },
};
