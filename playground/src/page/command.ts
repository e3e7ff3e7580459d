/** The command line that does the same. */
import type { Project, Roles, Settings } from '../shared/protocol.js';
import { optionsOf } from '../shared/quant.js';

/** As a POSIX shell reads it. */
const quoted = (word: string): string =>
  /^[\w./:=,@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/** `level`: of the network as it was read. */
export const commandOf = (project: Project, roles: Roles, settings: Settings, level: string): string => {
  const of = (role: string): string | undefined =>
    project.files.find(({ name }) => roles[name] === role)?.name;
  const { reading } = project;
  const { quant = {}, form } = optionsOf(settings, level);
  const isFloat = level === 'float';
  const flags: ReadonlyArray<readonly [string, string | number | ReadonlyArray<number> | undefined]> = [
    ['--arch', of('architecture')],
    ['--calib', isFloat ? (of('calibration') ?? of('inputs')) : undefined],
    ['--input-dtype', reading.inputDtype],
    ['--input-mean', reading.inputMean],
    ['--input-std', reading.inputStd],
    ['--input-layout', reading.inputLayout],
    ['--base-activation', reading.baseActivation],
    ['--input-shape', reading.inputShape?.join('x')],
    ['--prefix', reading.prefix],
    [
      '--quant',
      isFloat
        ? Object.entries(quant)
            .map(([knob, bits]) => `${knob}=${bits}`)
            .join(',')
        : undefined,
    ],
    ['--form', form],
  ];
  return [
    'npx kanc compile',
    quoted(of('checkpoint') ?? 'model.pt'),
    ...flags.flatMap(([flag, value]) => (value === undefined ? [] : [`${flag} ${quoted(String(value))}`])),
    ...(reading.ignoreExtra === true ? ['--ignore-tensors'] : []),
    '-o out/',
  ].join(' ');
};
