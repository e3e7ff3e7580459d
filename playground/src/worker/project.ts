/** A project with its files read: what the compiler is given. */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../../../src/diagnostics/index.js';
import { dataOf } from '../../../src/driver/data.js';
import type { InputLayout } from '../../../src/driver/input-layout.js';
import type { CompileInput } from '../../../src/driver/script-input.js';
import type { Dataset } from '../../../src/passes/dataset.js';
import type { Project, Role, Roles } from '../shared/protocol.js';
import { besideOf, type ReadFile, rolesOf } from './files.js';

export interface LoadedProject {
  readonly roles: Roles;
  readonly input: Omit<CompileInput, 'quant' | 'form' | 'target'>;
  /** What is evaluated on, and what would be right. */
  readonly inputs?: Dataset;
  readonly labels?: Dataset;
}

const readFiles = (project: Project): Promise<ReadonlyArray<ReadFile>> =>
  Promise.all(
    project.files.map(async ({ name, content }) => ({
      name,
      bytes: new Uint8Array(await content.arrayBuffer()),
    })),
  );

const datasetOf = (file: ReadFile | undefined, layout?: InputLayout): Checked<Dataset | undefined> =>
  file === undefined ? E.right(undefined) : dataOf(file.name, file.bytes, { layout });

/** Left: no checkpoint among the files, or data that cannot be read. */
export const loadProject = async (project: Project): Promise<Checked<LoadedProject>> => {
  const files = await readFiles(project);
  const roles = project.roles ?? rolesOf(files);
  const of = (role: Role): ReadonlyArray<ReadFile> => files.filter(({ name }) => roles[name] === role);
  const [checkpoint, ...more] = of('checkpoint');
  if (checkpoint === undefined || more.length > 0) {
    return fail(
      'K0101',
      checkpoint === undefined
        ? 'none of the files is a checkpoint'
        : 'two files are marked as the checkpoint',
      { expected: 'one .pt, .pth, .safetensors or .onnx file, the files of pykan, or those of KANELE' },
    );
  }
  const inputs = datasetOf(of('inputs')[0], project.reading.inputLayout);
  if (E.isLeft(inputs)) return inputs;
  const labels = datasetOf(of('labels')[0]);
  if (E.isLeft(labels)) return labels;
  const architecture = of('architecture')[0];
  // One file of inputs serves for both.
  const calibration = of('calibration')[0] ?? of('inputs')[0];
  return E.right({
    roles,
    input: {
      ...project.reading,
      checkpoint: checkpoint.bytes,
      checkpointName: checkpoint.name,
      files: besideOf(checkpoint, of('beside')),
      ...(architecture === undefined ? {} : { architecture: new TextDecoder().decode(architecture.bytes) }),
      ...(calibration === undefined ? {} : { calibration: calibration.bytes }),
    },
    ...(inputs.right === undefined ? {} : { inputs: inputs.right }),
    ...(labels.right === undefined ? {} : { labels: labels.right }),
  });
};
