/** Options that several commands share, and what they say. */

import { type Command, InvalidArgumentError, Option } from 'commander';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Checked, type Diagnostics, fail } from '../../diagnostics/index.js';
import type { Capabilities } from '../../driver/capabilities.js';
import type { CompileOptions } from '../../driver/compile-options.js';
import { INPUT_LAYOUTS, type InputLayout } from '../../driver/input-layout.js';
import { type ImportOptions, readingOptions, type ToldKey, toldOptions } from '../../importers/family.js';
import { parsePipeline } from '../../passes/pipeline-text.js';

export const parseNumber = (text: string): number => {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It is not a number.');
  return value;
};

export const parseCount = (text: string): number => {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError('It is not a positive integer.');
  }
  return value;
};

/** One number, or several with commas between them: one for each channel. */
export const parseNumbers = (text: string): ReadonlyArray<number> => text.split(',').map(parseNumber);

/** Threads: each has a copy of the network, and takes its start. */
const MOST_THREADS = 1024;

export const parseThreads = (text: string): number => {
  const value = parseCount(text);
  if (value > MOST_THREADS) throw new InvalidArgumentError(`At most ${MOST_THREADS} threads are started.`);
  return value;
};

/** Positive integers with an x between them, such as 1x28x28. */
export const parseShape = (text: string): ReadonlyArray<number> => {
  if (!/^\d{1,9}(?:x\d{1,9})*$/.test(text)) {
    throw new InvalidArgumentError('It is not a shape such as 1x28x28.');
  }
  return text.split('x').map(parseCount);
};

export const parseSeed = (text: string): number => {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It is not an integer from 0 on.');
  return Number(text) >>> 0;
};

/** For options that may be given several times. */
export const collect = (text: string, before: ReadonlyArray<string> = []): ReadonlyArray<string> => [
  ...before,
  text,
];

export interface LayoutFlag {
  /** How files of inputs are read; no program depends on it. */
  readonly inputLayout?: InputLayout;
}

export const addLayoutFlag = (command: Command): Command =>
  command.addOption(
    new Option(
      '--input-layout <order>',
      'the axes of image data: nchw as networks have them, or nhwc, whose channels are moved to the front as they are read (the program itself takes nchw)',
    ).choices(INPUT_LAYOUTS),
  );

export interface InputFlags extends LayoutFlag {
  readonly inputDtype?: 'f32' | 'u8';
  readonly inputMean?: ReadonlyArray<number>;
  readonly inputStd?: ReadonlyArray<number>;
}

export const addInputFlags = (command: Command): Command =>
  addLayoutFlag(command)
    .addOption(
      new Option(
        '--input-dtype <type>',
        'what the program is given: f32, or u8 (pixels, divided by 255 first)',
      ).choices(['f32', 'u8']),
    )
    .option(
      '--input-mean <numbers>',
      'subtracted from the input: one number, or one for each channel, such as 0.485,0.456,0.406',
      parseNumbers,
    )
    .option('--input-std <numbers>', 'divides the input after that, likewise', parseNumbers);

/** The options of an import as commander names them. */
export interface ImportFlags
  extends Omit<Pick<ImportOptions, ToldKey>, 'ignoreExtra' | 'graphInputs' | 'graphOutputs'> {
  /** The path of an architecture file. */
  readonly arch?: string;
  readonly ignoreTensors?: boolean;
  /** Values of a graph. */
  readonly inputs?: string;
  readonly outputs?: string;
}

const PARSERS = { number: parseNumber, count: parseCount, shape: parseShape } as const;

export const addImportFlags = (command: Command): Command =>
  readingOptions().reduce(
    (added, [, { flag, kind, help }]) =>
      kind === 'number' || kind === 'count' || kind === 'shape'
        ? added.option<unknown>(flag, help, PARSERS[kind])
        : added.option(flag, help),
    command,
  );

export interface PassFlags {
  readonly plugin?: ReadonlyArray<string>;
  readonly printIrAfter?: ReadonlyArray<string>;
  readonly printChanged?: boolean;
  readonly dumpIr?: string;
  readonly verifyEach?: boolean;
  readonly remarks?: boolean;
  readonly timing?: boolean;
}

export const addPluginFlag = (command: Command): Command =>
  command.option('--plugin <module>', 'a module that exports passes (repeatable)', collect);

export const addPassFlags = (command: Command): Command =>
  addPluginFlag(command)
    .option(
      '--print-ir-after <pass>',
      'print the graph after a pass, or after all, to standard error (repeatable)',
      collect,
    )
    .option('--print-changed', 'print the graph after every pass that changed it')
    .option('--dump-ir <folder>', 'write the graph before and after every pass as numbered .kir files')
    .option('--verify-each', 'verify the graph after every pass')
    .option('--remarks', 'show everything that passes have to say, not only warnings')
    .option('--timing', 'show how long every step took');

/** The options of importers that flags set; their names are never those of files, so manifests may tell them. */
export const importOptions = ({
  ignoreTensors,
  inputs,
  outputs,
  ...flags
}: ImportFlags): Pick<ImportOptions, ToldKey> =>
  toldOptions({ ...flags, ignoreExtra: ignoreTensors, graphInputs: inputs, graphOutputs: outputs });

/** How files of inputs are read. */
export const readingOf = ({ inputLayout }: { readonly inputLayout?: InputLayout | undefined }) => ({
  layout: inputLayout,
});

/** For manifests: the order that the data had, where it is not the network's. */
export const layoutTold = ({ inputLayout }: LayoutFlag): LayoutFlag =>
  inputLayout === undefined || inputLayout === 'nchw' ? {} : { inputLayout };

/** What the program depends on. */
export const inputOptions = ({
  inputDtype,
  inputMean,
  inputStd,
}: InputFlags): Pick<CompileOptions, 'inputDtype' | 'inputMean' | 'inputStd'> => ({
  ...(inputDtype === undefined ? {} : { inputDtype }),
  ...(inputMean === undefined ? {} : { inputMean: onlyOne(inputMean) }),
  ...(inputStd === undefined ? {} : { inputStd: onlyOne(inputStd) }),
});

const onlyOne = (numbers: ReadonlyArray<number>): number | ReadonlyArray<number> => {
  const [first, ...others] = numbers;
  return first !== undefined && others.length === 0 ? first : numbers;
};

export const readImportOptions =
  ({ files }: Pick<Capabilities, 'files'>) =>
  (flags: ImportFlags): TE.TaskEither<Diagnostics, ImportOptions> => {
    const { arch } = flags;
    return arch === undefined
      ? TE.right(importOptions(flags))
      : pipe(
          files.read(arch),
          TE.map((bytes) => ({
            ...importOptions(flags),
            architecture: { text: new TextDecoder().decode(bytes), file: arch },
          })),
        );
  };

/** A pipeline that does not parse is told of elsewhere. */
const namesData = (passes: string | undefined): boolean => {
  if (passes === undefined) return false;
  const calls = parsePipeline(passes);
  return E.isLeft(calls) || calls.right.some(({ options }) => (options['data'] ?? '') !== '');
};

/** `files`: of data, as they were given. Fails with K0801 where another order is asked for and nothing is read in it. */
export const checkLayoutUsed = (
  { inputLayout, passes }: LayoutFlag & { readonly passes?: string },
  files: ReadonlyArray<string | undefined>,
): Checked<void> =>
  inputLayout === 'nhwc' && !namesData(passes) && files.every((file) => file === undefined)
    ? fail('K0801', 'no file of data is read whose axes could be in that order', {
        place: { option: '--input-layout' },
        expected: 'data, such as those of --calib',
        hint: 'Programs take [samples, channels, height, width] whatever the data had: leave the option out.',
      })
    : E.right(undefined);
