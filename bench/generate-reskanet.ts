/**
 * Writes a ResKANet of real width with random weights as safetensors, to see what the compiler needs for one:
 *
 *   tsx bench/generate-reskanet.ts [path] [--width 8] [--seed 1] [--channels 1] [--classes 10]
 *
 * Width 8 has 64, 128, 256 and 512 channels and about 50 million weights, width 1 an eighth of the channels. The
 * same arguments give the same bytes. Without a path the file goes to the folder for temporary files.
 */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { randomOf } from './random.js';

export interface NetworkOptions {
  /** Channels of the first stage are 8 times this; every stage doubles them. */
  readonly width: number;
  readonly seed: number;
  readonly channels: number;
  readonly classes: number;
}

interface Entry {
  readonly name: string;
  readonly shape: ReadonlyArray<number>;
  /** Each weight, given a uniform random number of [-1, 1). */
  readonly weight: (u: number) => number;
}

const INTERVALS = 5;
const ORDER = 3;
const BLOCKS = 2;

/** A KAN convolution with batch norm. Weights are scaled so that values keep their size from layer to layer. */
const convolution = (at: string, inputs: number, outputs: number, kernel: number): ReadonlyArray<Entry> => {
  const taps = inputs * kernel * kernel;
  const scale = Math.sqrt(3 / taps);
  return [
    { name: `${at}.base_conv.0.weight`, shape: [outputs, inputs, kernel, kernel], weight: (u) => u * scale },
    {
      name: `${at}.spline_conv.0.weight`,
      shape: [outputs, inputs * (INTERVALS + ORDER), kernel, kernel],
      weight: (u) => u * scale,
    },
    { name: `${at}.layer_norm.0.running_mean`, shape: [outputs], weight: (u) => 0.1 * u },
    { name: `${at}.layer_norm.0.running_var`, shape: [outputs], weight: (u) => 1 + 0.5 * u },
    { name: `${at}.prelus.0.weight`, shape: [1], weight: () => 0.25 },
  ];
};

const entriesOf = ({ width, channels, classes }: NetworkOptions): ReadonlyArray<Entry> => {
  const entries = [...convolution('conv1', channels, 8 * width, 3)];
  let before = 8 * width;
  for (let stage = 1; stage <= 4; stage++) {
    const planes = 8 * width * 2 ** (stage - 1);
    for (let block = 0; block < BLOCKS; block++) {
      const at = `layer${stage}.${block}`;
      entries.push(...convolution(`${at}.conv1`, before, planes, 3));
      entries.push(...convolution(`${at}.conv2`, planes, planes, 1));
      if (before !== planes) entries.push(...convolution(`${at}.downsample`, before, planes, 1));
      before = planes;
    }
  }
  entries.push({ name: 'fc.weight', shape: [classes, before], weight: (u) => u / Math.sqrt(before) });
  entries.push({ name: 'fc.bias', shape: [classes], weight: () => 0 });
  return entries;
};

/** The bytes of the checkpoint. */
export const generateResKanet = (options: NetworkOptions): Uint8Array => {
  const entries = entriesOf(options);
  const counts = entries.map(({ shape }) => shape.reduce((n, d) => n * d, 1));
  const header: Record<string, unknown> = {};
  let end = 0;
  for (const [k, { name, shape }] of entries.entries()) {
    header[name] = { dtype: 'F32', shape, data_offsets: [end, end + 4 * counts[k]!] };
    end += 4 * counts[k]!;
  }
  const json = JSON.stringify(header);
  // The data begin at a multiple of 8, as the format wants it.
  const text = new TextEncoder().encode(json + ' '.repeat((8 - (json.length % 8)) % 8));
  const bytes = new Uint8Array(8 + text.length + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  const data = new DataView(bytes.buffer, 8 + text.length);
  const random = randomOf(options.seed);
  let at = 0;
  for (const [k, { weight }] of entries.entries()) {
    for (let j = 0; j < counts[k]!; j++, at += 4) data.setFloat32(at, weight(random()), true);
  }
  return bytes;
};

const main = (): void => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      width: { type: 'string', default: '8' },
      seed: { type: 'string', default: '1' },
      channels: { type: 'string', default: '1' },
      classes: { type: 'string', default: '10' },
    },
  });
  const [width, seed, channels, classes] = [values.width, values.seed, values.channels, values.classes].map(
    Number,
  );
  const path = positionals[0] ?? join(tmpdir(), `reskanet-width-${values.width}.safetensors`);
  const bytes = generateResKanet({
    width: width ?? 8,
    seed: seed ?? 1,
    channels: channels ?? 1,
    classes: classes ?? 10,
  });
  writeFileSync(path, bytes);
  console.log(`${path}: ${(bytes.length / 2 ** 20).toFixed(1)} MiB`);
};

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
