/**
 * The compiler as a function: bytes in, files in memory out. Nothing is read from or written to disk, and nothing here
 * or below is bound to Node: api.ts is the same for scripts, the playground runs it in a browser.
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { defined } from '../diagnostics/defined.js';
import { at, type Diagnostics, fail } from '../diagnostics/index.js';
import { toldOptions } from '../importers/family.js';
import { sourceOf } from '../importers/source.js';
import type { NamedPass } from '../passes/registry.js';
import { BUILTIN_PASSES } from '../passes/registry.js';
import { type Compilation, type CompileRequest, type CompileWorld, compileCheckpoint } from './compile.js';
import { type CompileOptions, compilePipeline } from './compile-options.js';
import { type DataSource, datasetOf, type HashedDataset } from './data.js';
import type { Sha256 } from './hash.js';
import { type InputLayout, inLayout } from './input-layout.js';
import { type ArrayData, type CompileInput, checkCompileInput } from './script-input.js';

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

const compiled = (
  world: CompilerWorld,
  observer: Observer,
  input: CompileInput,
): TE.TaskEither<Diagnostics, Compilation> => {
  const { architecture, inputLayout, passes } = input;
  const shared = shapeOf(input);
  const importing = toldOptions(input);
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
