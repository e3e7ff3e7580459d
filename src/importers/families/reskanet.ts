/**
 * ResKANet of torch-conv-kan, of any width and depth, from the names of its tensors.
 *
 *   conv1, layer<s>.<b> (s from 1, b from 0), global average, fc
 *
 * A basic block is conv1 (3x3) and conv2 (1x1), a bottleneck conv1 (1x1), conv2 (3x3) and conv3 (1x1); the block's
 * input, or `downsample` of it where there is one, is added and nothing comes after the sum. Convolutions are KAN
 * convolutions of any kind. The first block of every stage but the first halves the image where it has a
 * downsample, by its 3x3 convolution.
 *
 * The reading is an architecture (the one that an architecture file could describe), so that whatever a network
 * does otherwise can be said in a file.
 */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail } from '../../diagnostics/index.js';
import type { Architecture } from '../arch/architecture.js';
import { buildArchitecture } from '../arch/build.js';
import { factsOf, layerAt } from '../arch/detect.js';
import type { LayerSpec } from '../arch/layers.js';
import type { TensorFile } from '../containers/tensor.js';
import type { Assumption, Family, ImportOptions, Reading } from '../family.js';

const CONVOLUTIONS = ['kan-conv2d', 'fast-kan-conv2d', 'kacn-conv2d', 'kagn-conv2d', 'kaln-conv2d'] as const;
type Convolution = (typeof CONVOLUTIONS)[number];

const convolutionAt = (file: TensorFile, prefix: string): Convolution | undefined => {
  const found = layerAt(file, prefix);
  return CONVOLUTIONS.find((type) => type === found);
};

export const isResKanet = (file: TensorFile): boolean =>
  convolutionAt(file, 'conv1') !== undefined &&
  convolutionAt(file, 'layer1.0.conv1') !== undefined &&
  file.tensors.has('fc.weight');

export const resKanet: Family = {
  name: 'reskanet',
  recognises: isResKanet,
  read: (file, options) => read(file, options),
};

const read = (file: TensorFile, options: ImportOptions): Checked<Reading> => {
  const arch = resKanetArchitecture(file);
  if (E.isLeft(arch)) return arch;
  const built = buildArchitecture(arch.right.architecture, file, options);
  if (E.isLeft(built)) return built;
  const assumptions = [...arch.right.assumptions(options), ...built.right.assumptions];
  return E.right({ graph: built.right.graph, assumptions });
};

export interface ResKanetReading {
  readonly architecture: Architecture;
  readonly assumptions: (options: ImportOptions) => ReadonlyArray<Assumption>;
}

/** Height and width of the images that networks of so many channels are mostly trained on. */
export const usualImage = (channels: number): readonly [number, number, number] =>
  channels === 1 ? [1, 28, 28] : [channels, 32, 32];

/** The architecture that the names say. */
// Long: one architecture, and what is assumed of it.
export const resKanetArchitecture = (file: TensorFile): Checked<ResKanetReading> => {
  const kind = convolutionAt(file, 'conv1') ?? 'kan-conv2d';
  const kernelOf = (prefix: string): number =>
    factsOf(file, { prefix, type: convolutionAt(file, prefix) ?? kind }).kernel?.[0] ?? 1;
  const convolution = (prefix: string, stride: number): LayerSpec => {
    const padding = Math.floor(kernelOf(prefix) / 2);
    return {
      type: convolutionAt(file, prefix) ?? kind,
      prefix,
      ...(stride === 1 ? {} : { stride }),
      ...(padding === 0 ? {} : { padding }),
    };
  };
  const blocks = blocksOf(file);
  if (E.isLeft(blocks)) return blocks;
  // The library's other stem, for large images: 7x7 with stride 2, and a pooling after it.
  const large = kernelOf('conv1') === 7;
  const stem: ReadonlyArray<LayerSpec> = [
    convolution('conv1', large ? 2 : 1),
    ...(large ? [{ type: 'maxpool', kernel: 3, stride: 2, padding: 1 } as const] : []),
  ];
  const body = blocks.right.map(({ stage, block }): LayerSpec => {
    const at = `layer${stage}.${block}`;
    const downsample = convolutionAt(file, `${at}.downsample`) !== undefined;
    const stride = stage > 1 && block === 0 && downsample ? 2 : 1;
    const bottleneck = convolutionAt(file, `${at}.conv3`) !== undefined;
    const convolutions = bottleneck
      ? [convolution(`${at}.conv1`, 1), convolution(`${at}.conv2`, stride), convolution(`${at}.conv3`, 1)]
      : [convolution(`${at}.conv1`, stride), convolution(`${at}.conv2`, 1)];
    return {
      type: 'residual',
      body: convolutions,
      ...(downsample ? { shortcut: [convolution(`${at}.downsample`, stride)] } : {}),
    };
  });
  const input = usualImage(factsOf(file, { prefix: 'conv1', type: kind }).inputs ?? 1);
  return E.right({
    architecture: {
      input,
      layers: [...stem, ...body, { type: 'avgpool' }, { type: 'flatten' }, { type: 'linear', prefix: 'fc' }],
    },
    assumptions: (options) => [
      ...(options.inputShape === undefined
        ? [
            {
              what: 'height and width of the images are not stored',
              assumed: `${input[1]}x${input[2]}`,
              option: '--input-shape',
            },
          ]
        : []),
      {
        what: 'strides and pooling are not stored',
        assumed: large
          ? 'the 7x7 stem has stride 2 and a 3x3 max pooling after it; stages from the second on halve the image'
          : 'the stem has stride 1 and no pooling; stages from the second on halve the image',
        option: '--arch',
      },
    ],
  });
};

interface Block {
  readonly stage: number;
  readonly block: number;
}

/** All blocks in order. K0202 where a number is left out. */
const blocksOf = (file: TensorFile): Checked<ReadonlyArray<Block>> => {
  const stages = new Map<number, Set<number>>();
  for (const name of file.tensors.keys()) {
    const match = /^layer(\d{1,6})\.(\d{1,6})\./.exec(name);
    if (match === null) continue;
    const stage = Number(match[1]);
    stages.set(stage, (stages.get(stage) ?? new Set()).add(Number(match[2])));
  }
  const blocks: Block[] = [];
  const missing = (at: string): Checked<never> =>
    fail('K0202', 'the tensor is missing', {
      place: { tensor: `${at}.conv1...` },
      expected: 'stages numbered from 1 and blocks numbered from 0 without gaps',
    });
  for (let stage = 1; stage <= stages.size; stage++) {
    const numbers = stages.get(stage);
    if (numbers === undefined) return missing(`layer${stage}.0`);
    for (let block = 0; block < numbers.size; block++) {
      if (!numbers.has(block)) return missing(`layer${stage}.${block}`);
      blocks.push({ stage, block });
    }
  }
  return E.right(blocks);
};
