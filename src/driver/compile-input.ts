/**
 * The compiler as a function: bytes in, files in memory out. Nothing is read from or written to disk, and nothing here
 * or below is bound to Node: api.ts is the same for scripts, the playground runs it in a browser.
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { at, type Diagnostics, fail } from '../diagnostics/index.js';
import type { NpyArray } from '../importers/containers/npy.js';
import { sourceOf } from '../importers/source.js';
import type { NamedPass } from '../passes/registry.js';
import { BUILTIN_PASSES } from '../passes/registry.js';
import { checkCompileInput } from './check-input.js';
import { type Compilation, type CompileRequest, type CompileWorld, compileCheckpoint } from './compile.js';
import { type CompileOptions, compilePipeline } from './compile-options.js';
import { type DataSource, datasetOf, type HashedDataset } from './data.js';
import { defined } from './defined.js';
import type { Sha256 } from './hash.js';
import { type InputLayout, inLayout } from './input-layout.js';

/** The bytes of an .npy file (or of an .npz archive of one array), or an array as `readNpy` gives it; samples first. */
export type ArrayData = Uint8Array | NpyArray;

export interface CompileInput extends Omit<CompileOptions, 'calib'> {
  /** The bytes of the checkpoint: a .pt, .pth or .safetensors file, or the main file of a family of several. */
  readonly checkpoint: Uint8Array;
  /** The name of that file, where it matters: it says which of `files` belong to it. */
  readonly checkpointName?: string;
  /** Files that belong to the checkpoint, by name: the _config.yml of pykan, the config.json of KANELE. */
  readonly files?: Readonly<Record<string, Uint8Array>>;
  /** Inputs as the program will get them: ranges and tables come from them. */
  readonly calibration?: ArrayData;
  /** The order of the axes of images in these data: `nchw` as networks have it when absent. No program depends on it. */
  readonly inputLayout?: InputLayout;
  /** Data that a pipeline given as `passes` names. */
  readonly data?: Readonly<Record<string, ArrayData>>;
  /** The KAN library of the checkpoint; recognised when absent. */
  readonly family?: string;
  /** The activation of the base branch, where the checkpoint does not store it. */
  readonly baseActivation?: string;
  /** The function of a radial basis, gaussian or reflectional-switch, where the checkpoint does not store it. */
  readonly rbf?: string;
  /** The width of a radial basis, where the checkpoint does not store it. */
  readonly rbfWidth?: number;
  /** What polynomials have their input through, tanh or none, where the checkpoint does not store it. */
  readonly squash?: string;
  /** What norms add to the variance; 1e-5 when absent. */
  readonly normEpsilon?: number;
  /** How many inputs a pruned network had before. */
  readonly inputFeatures?: number;
  /** Shape of one sample, [channels, height, width], where the family does not store it. */
  readonly inputShape?: ReadonlyArray<number>;
  /** The text of an architecture file. */
  readonly architecture?: string;
  /** What the tensor names of the network begin with, where the checkpoint holds several networks. */
  readonly prefix?: string;
  /** Leaves out tensors that have no part in the network as kanc reads it, instead of refusing them. */
  readonly ignoreExtra?: boolean;
  /** `wasm` when absent. */
  readonly target?: string;
  /** Puts the module into index.js. */
  readonly singleFile?: boolean;
  /** Passes of your own that the pipeline may name. */
  readonly extraPasses?: ReadonlyArray<NamedPass>;
  /** Runs the verifier after every pass. */
  readonly verifyEach?: boolean;
}

/** The name by which the pipeline knows the calibration data; no artifact shows it. */
const CALIBRATION = 'calibration';

const hashed = (
  sha256: Sha256,
  path: string,
  data: ArrayData,
  layout: InputLayout,
): E.Either<Diagnostics, HashedDataset> => {
  if (data instanceof Uint8Array) return datasetOf(sha256)(path, data, { layout });
  const { buffer, byteOffset, byteLength } = data.data;
  const header = sha256(`${data.dtype}[${data.shape.join(',')}]`);
  const content = sha256(new Uint8Array(buffer, byteOffset, byteLength));
  return pipe(
    inLayout(layout)(data),
    at({ file: path }),
    E.map((array) => ({ path, array, sha256: sha256(header + content + (layout === 'nchw' ? '' : layout)) })),
  );
};

const dataOf =
  (sha256: Sha256, input: CompileInput): DataSource =>
  (name) => {
    const found =
      name === CALIBRATION && input.calibration !== undefined ? input.calibration : input.data?.[name];
    return TE.fromEither(
      found === undefined
        ? fail('K0101', `the pipeline names the data '${name}', which are not given`, {
            hint: `Give them as data: { ${JSON.stringify(name)}: bytes }.`,
          })
        : hashed(sha256, name, found, input.inputLayout ?? 'nchw'),
    );
  };

/** What the compiler needs from where it runs. */
export interface CompilerWorld extends Pick<CompileWorld, 'version' | 'now' | 'sha256'> {
  /** In place of the built-in passes. */
  readonly passes?: ReadonlyArray<NamedPass>;
}

/** Told while it compiles; see CompileRequest. */
export type Observer = Pick<CompileRequest, 'onImport' | 'onPass'>;

/**
 * Compiles a checkpoint. Left: everything that is wrong with what was given, as diagnostics. Exceptions are bugs of
 * kanc (or of `extraPasses`).
 */
export const compileWith =
  (world: CompilerWorld, observer: Observer = {}) =>
  (input: CompileInput): TE.TaskEither<Diagnostics, Compilation> =>
    pipe(
      TE.fromEither(checkCompileInput(input)),
      TE.flatMap(() => compiled(world, observer, input)),
    );

/** What the passes take of an input, as it is told in the manifest. */
const shapeOf = ({
  inputDtype,
  inputMean,
  inputStd,
  quant,
  form,
  ranges,
  quantizer,
  outOfRange,
  nan,
  budgetMem,
}: CompileInput) =>
  defined({
    inputDtype,
    inputMean,
    inputStd,
    quant,
    form,
    ranges,
    quantizer,
    outOfRange,
    nan,
    budgetMem,
  });

/** What the importers take of an input, but for the architecture file. */
const importingOf = (input: CompileInput) => {
  const { family, baseActivation, rbf, rbfWidth, squash, normEpsilon } = input;
  const { inputFeatures, inputShape, prefix } = input;
  const ignoreExtra = input.ignoreExtra === true ? true : undefined;
  return defined({
    ...{ family, baseActivation, rbf, rbfWidth, squash, normEpsilon },
    ...{ inputFeatures, inputShape, prefix, ignoreExtra },
  });
};

const compiled = (
  world: CompilerWorld,
  observer: Observer,
  input: CompileInput,
): TE.TaskEither<Diagnostics, Compilation> => {
  const { architecture, inputLayout, passes } = input;
  const shared = shapeOf(input);
  const importing = importingOf(input);
  const singleFile = defined({ singleFile: input.singleFile === true ? true : undefined });
  const options: CompileOptions = {
    ...shared,
    ...defined({ passes, calib: input.calibration === undefined ? undefined : CALIBRATION }),
  };
  return pipe(
    TE.fromEither(compilePipeline(options)),
    TE.flatMap(() =>
      compileCheckpoint({
        ...world,
        passes: [...(world.passes ?? BUILTIN_PASSES), ...(input.extraPasses ?? [])],
        data: dataOf(world.sha256, input),
      })({
        ...observer,
        source: sourceOf(
          input.checkpoint,
          input.checkpointName ?? 'checkpoint',
          new Map(Object.entries(input.files ?? {})),
        ),
        importOptions: {
          ...importing,
          ...(architecture === undefined
            ? {}
            : { architecture: { text: architecture, file: 'architecture' } }),
        },
        pipeline: (level) => compilePipeline(options, level),
        target: input.target ?? 'wasm',
        targetOptions: singleFile,
        verifyEach: input.verifyEach === true,
        told: {
          ...shared,
          ...(inputLayout === 'nhwc' ? { inputLayout } : {}),
          ...importing,
          ...singleFile,
          ...(architecture === undefined ? {} : { architecture: world.sha256(architecture) }),
        },
      }),
    ),
  );
};
