/** Reads a project and says what is in it. */
import * as E from 'fp-ts/lib/Either.js';
import type { Checked } from '../../../src/diagnostics/index.js';
import { describe } from '../../../src/importers/describe.js';
import { type Imported, importSource } from '../../../src/importers/import.js';
import { sourceOf } from '../../../src/importers/source.js';
import { levelsOf, sizeOf } from '../../../src/ir/types.js';
import type { Dataset } from '../../../src/passes/dataset.js';
import type { Opened, Samples } from '../shared/protocol.js';
import type { LoadedProject } from './project.js';

/** Samples that the page gets to show. */
const SHOWN = 100;

/** The network of a project. */
export const importNetwork = ({ input }: LoadedProject): Checked<Imported> => {
  const { baseActivation, inputShape, prefix, ignoreExtra, architecture } = input;
  return importSource(
    sourceOf(
      input.checkpoint,
      input.checkpointName ?? 'checkpoint',
      new Map(Object.entries(input.files ?? {})),
    ),
    {
      ...(baseActivation === undefined ? {} : { baseActivation }),
      ...(inputShape === undefined ? {} : { inputShape }),
      ...(prefix === undefined ? {} : { prefix }),
      ...(ignoreExtra === undefined ? {} : { ignoreExtra }),
      ...(architecture === undefined ? {} : { architecture: { text: architecture, file: 'architecture' } }),
    },
  );
};

const samplesOf = (
  { array }: Dataset,
  labels: Dataset | undefined,
  features: number,
): Samples | undefined => {
  const [all = 0] = array.shape;
  if (all === 0 || array.data.length !== all * features) return undefined;
  const count = Math.min(SHOWN, all);
  const lowest = new Float32Array(features).fill(Number.POSITIVE_INFINITY);
  const highest = new Float32Array(features).fill(Number.NEGATIVE_INFINITY);
  for (let j = 0; j < array.data.length; j++) {
    const value = array.data[j] ?? 0;
    const feature = j % features;
    if (value < (lowest[feature] ?? 0)) lowest[feature] = value;
    if (value > (highest[feature] ?? 0)) highest[feature] = value;
  }
  const shown = array.data.slice(0, count * features);
  const classes =
    labels !== undefined && !labels.array.dtype.startsWith('f') && labels.array.data.length === all
      ? Array.from(labels.array.data.slice(0, count))
      : undefined;
  return {
    count,
    features,
    data: shown instanceof Uint8Array ? shown : Float32Array.from(shown),
    lowest,
    highest,
    ...(classes === undefined ? {} : { classes }),
  };
};

const notesOf = ({ input, inputs, labels }: LoadedProject, level: string): ReadonlyArray<string> => {
  if (level !== 'float') return [];
  if (input.calibration === undefined) {
    return ['Without inputs, ranges come from the grids and from random numbers: accuracy is not measured.'];
  }
  if (inputs?.array.data instanceof Uint8Array && input.inputMean === undefined) {
    return [
      'The inputs are bytes, so they are divided by 255. Say under "How to read it" what training then subtracted and divided by.',
    ];
  }
  if (inputs === undefined || labels === undefined) {
    return ['Without labels, the outputs are compared with those of the float network.'];
  }
  return [];
};

/** Left: what is wrong with the checkpoint. */
export const openProject = (project: LoadedProject): Checked<Opened> =>
  E.map((imported: Imported): Opened => {
    const type = imported.graph.inputs[0]?.type;
    const inputShape = type?.shape ?? [];
    const { inputs, labels } = project;
    const samples =
      inputs === undefined ? undefined : samplesOf(inputs, labels, sizeOf({ shape: inputShape }));
    return {
      roles: project.roles,
      description: describe(imported),
      inputShape,
      ...(samples === undefined ? {} : { samples }),
      ...(type?.element.kind === 'uint' ? { codes: levelsOf(type) } : {}),
      notes: notesOf(project, imported.graph.level),
    };
  })(importNetwork(project));
