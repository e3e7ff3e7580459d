/** What reads files that come from anywhere, each with small real files to damage. */
import { readFileSync } from 'node:fs';
import { unzipSync, zipSync } from 'fflate';
import * as E from 'fp-ts/lib/Either.js';
import { parseArtifactManifest } from '../../src/backends/artifact-manifest.js';
import type { Checked } from '../../src/diagnostics/index.js';
import { importSource, readNpy, type Source } from '../../src/importers/index.js';
import { companions, sourceOf } from '../../src/importers/source.js';
import { parseGraph, printGraph, verify } from '../../src/ir/index.js';
import { parsePipeline } from '../../src/passes/index.js';
import { randomGraph } from '../../test/support/graphs.js';
import { modelProto } from '../../test/support/onnx-writer.js';
import {
  call,
  dict,
  floats,
  global,
  int,
  list,
  orderedDict,
  pickle,
  text as string,
  tensor,
  torchLegacy,
  torchZip,
  vector,
} from '../../test/support/pickle-writer.js';
import { onnxModels, onnxNetwork } from './onnx-models.js';

/** A file, and what is made of its bytes after they were damaged. */
export interface Target {
  readonly name: string;
  /** Files of one kind are read by the same function. */
  readonly kind: string;
  readonly bytes: Uint8Array;
  readonly read: (bytes: Uint8Array) => Checked<unknown>;
}

const file = (path: string): Uint8Array => readFileSync(new URL(`../../examples/${path}`, import.meta.url));
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

const imported =
  (name: string, beside: Readonly<Record<string, Uint8Array>> = {}) =>
  (bytes: Uint8Array): Checked<unknown> => {
    const source: Source = sourceOf(bytes, name, new Map(Object.entries(beside)));
    const read = importSource(source);
    return E.isLeft(read) ? read : sound(read.right.graph);
  };

/** What an importer makes is valid, or the importer is wrong: a range that cannot be proven is the network's own. */
const sound = (graph: Parameters<typeof verify>[0]): Checked<unknown> => {
  const valid = verify(graph);
  if (E.isLeft(valid) && valid.left.some((d) => d.code !== 'K0402')) {
    throw new Error(`an import is not valid: ${valid.left.map((d) => `${d.code} ${d.message}`).join(' ')}`);
  }
  return valid;
};

/** The pickle alone is damaged: of a zip with a wrong checksum nothing more would be read. */
const zipped = (name: string, zip: Uint8Array): Target => {
  const files = unzipSync(zip);
  const part = Object.keys(files).find((f) => f.endsWith('data.pkl')) ?? 'archive/data.pkl';
  return {
    name: `${name} (pickle in zip)`,
    kind: `${name} (pickle in zip)`,
    bytes: files[part] ?? new Uint8Array(0),
    read: (bytes) => imported(name)(zipSync({ ...files, [part]: bytes }, { level: 0 })),
  };
};

const parseKir = (bytes: Uint8Array): Checked<unknown> => {
  const graph = parseGraph(textOf(bytes));
  if (E.isLeft(graph)) return graph;
  const text = printGraph(graph.right);
  const back = parseGraph(text);
  if (E.isLeft(back) || printGraph(back.right) !== text)
    throw new Error('a graph that was read prints to another');
  return verify(graph.right);
};

const HASHED = /the data of #(\w+) has the hash ([0-9a-f]{64})/;

/** Hashes are checked before anything else is made of data: with the right ones, damage gets further. */
const withHashes = (text: string): string => {
  let now = text;
  for (let k = 0; k < 8; k++) {
    const graph = parseGraph(now);
    const found = E.isLeft(graph) ? HASHED.exec(graph.left[0].message) : null;
    if (found === null) break;
    const [, name = '', hash = ''] = found;
    now = now
      .replace(new RegExp(`sha256-${name}[0-9a-f]*`), `sha256-${hash}`)
      .replaceAll(`#${name}`, `#${hash.slice(0, name.length)}`);
  }
  return now;
};

const parseRehashed = (bytes: Uint8Array): Checked<unknown> => parseKir(utf8(withHashes(textOf(bytes))));

const legacy = (): Uint8Array =>
  torchLegacy(
    orderedDict({
      'layers.0.base_weight': tensor({ key: '0', elements: 6, shape: [3, 2], strides: [2, 1] }),
      'layers.0.bias': vector('1', 3),
    }),
    [
      { key: '0', elements: 6, bytes: floats([1, 2, 3, 4, 5, 6]) },
      { key: '1', elements: 3, bytes: floats([1, 2, 3]) },
    ],
  );

const PIPELINE =
  'input{dtype=u8,std=0.25},calibrate{data="a b.npy"},quantize{act=6,layers="layer0.act=4 *.coef=5"},tabulate{form=auto,budget=4MB},fold,dce';

/** Text graphs of all levels. */
const kirs = (): ReadonlyArray<Target> =>
  [1, 4, 7, 12, 19].flatMap((seed) =>
    (['float', 'quantized', 'table'] as const).flatMap((level) => {
      const bytes = utf8(printGraph(randomGraph(level, seed, 6)));
      return [
        { name: `${level} graph ${seed}`, kind: 'kir', bytes, read: parseKir },
        {
          name: `${level} graph ${seed}, hashed again`,
          kind: 'kir, hashed again',
          bytes,
          read: parseRehashed,
        },
      ];
    }),
  );

type Named = Omit<Target, 'kind'>;
const ownKind = (target: Named): Target => ({ ...target, kind: target.name });

export const targets = (): ReadonlyArray<Target> => [
  ...binary(),
  ...onnxModels(),
  network(),
  ...beside(),
  ...text(),
  ...kirs(),
];

/** What is made of an exported graph, beyond the reading of its file. */
const network = (): Target =>
  ownKind({
    name: 'ONNX (network)',
    bytes: onnxNetwork(),
    read: (bytes) => imported('m.onnx')(modelProto(bytes)),
  });

/** Checkpoints and arrays. */
const binary = (): ReadonlyArray<Target> => [
  ...[
    {
      name: 'safetensors',
      bytes: file('models/efficient-kan-regression/model.safetensors'),
      read: imported('m.safetensors'),
    },
    {
      name: 'torch zip',
      bytes: file('models/efficient-kan-regression/model.pt'),
      read: imported('m.pt'),
    },
    { name: 'torch legacy', bytes: legacy(), read: imported('m.pth') },
    { name: 'pickle', bytes: Uint8Array.from(pickle(dict({ a: vector('0', 1) }))), read: imported('m.pkl') },
    { name: 'npy', bytes: file('models/efficient-kan-wine/golden_outputs.npy'), read: readNpy },
  ].map(ownKind),
  zipped('m.pt', file('models/efficient-kan-regression/model.pt')),
  zipped('model_state', file('models/pykan-symbolic/model_state')),
  zipped('trainer.pt', trainer()),
  ...['sequential.pt', 'fast.pt', 'arrays.pt', 'script-kan.pt', 'cycle.pt'].map((name) =>
    zipped(name, file(`../test/cases/modules/${name}`)),
  ),
];

/** A file of a training script: several dicts of tensors, and objects of which nothing is known. */
const trainer = (): Uint8Array => {
  const weights = (...names: string[]) =>
    orderedDict(
      Object.fromEntries(
        names.map((name) => [name, tensor({ key: '0', elements: 6, shape: [2, 3], strides: [3, 1] })]),
      ),
    );
  const args = [...global('argparse', 'Namespace'), 0x29, 0x81, ...dict({ lr: int(1) }), 0x62];
  const root = dict({
    model: weights('module.layers._orig_mod.w', 'module.b'),
    ema: weights('layers.w', 'b'),
    optimizer: dict({ state: dict({ '0': dict({ step: int(1) }) }), param_groups: list() }),
    runs: list(weights('a.b'), args, call(global('numpy', 'dtype'), string('f8'))),
  });
  return torchZip(root, { '0': floats([1, 2, 3, 4, 5, 6]) });
};

const INDEX = JSON.stringify({
  metadata: { total_size: 1 },
  weight_map: Object.fromEntries(
    [0, 1].flatMap((l) =>
      ['base_weight', 'spline_weight', 'spline_scaler', 'grid'].map((part) => [
        `layers.${l}.${part}`,
        'model-00001-of-00001.safetensors',
      ]),
    ),
  ),
});

/** Files that are read beside others. */
const beside = (): ReadonlyArray<Target> => {
  const config = file('models/pykan-mult/model_config.yml');
  const state = file('models/pykan-mult/model.safetensors');
  const tables = file('models/kanele-drybean/truth_tables.json');
  const kanele = file('models/kanele-drybean/config.json');
  return [
    {
      name: 'YAML',
      bytes: config,
      read: (bytes: Uint8Array) => imported('model.safetensors', { 'model_config.yml': bytes })(state),
    },
    {
      name: 'pykan tensors',
      bytes: state,
      read: imported('model.safetensors', { 'model_config.yml': config }),
    },
    {
      name: 'index of shards',
      bytes: utf8(INDEX),
      read: (bytes: Uint8Array) => {
        const named = new Set(companions('index.json', bytes));
        const shards = {
          'model-00001-of-00001.safetensors': file('models/efficient-kan-regression/model.safetensors'),
        };
        return imported(
          'index.json',
          Object.fromEntries(Object.entries(shards).filter(([n]) => named.has(n))),
        )(bytes);
      },
    },
    { name: 'truth tables', bytes: tables, read: imported('truth_tables.json', { 'config.json': kanele }) },
    {
      name: 'KANELE config',
      bytes: kanele,
      read: (bytes: Uint8Array) => imported('truth_tables.json', { 'config.json': bytes })(tables),
    },
  ].map(ownKind);
};

/** Of compiled artifacts: any file that `kanc run` and `verify` are given stands for one. */
const MANIFEST = JSON.stringify(
  { format: 'kanc-artifact', version: 1, kanc: '0', target: 'wasm', files: {}, input: {}, output: {} },
  null,
  2,
);

const text = (): ReadonlyArray<Target> => {
  const conv = file('models/conv-kan-fashion-batchnorm/model.safetensors');
  const arch = file('models/conv-kan-fashion-batchnorm/arch.json');
  return [
    {
      name: 'architecture',
      bytes: arch,
      read: (bytes: Uint8Array): Checked<unknown> => {
        const architecture = { text: textOf(bytes), file: 'arch.json' };
        const read = importSource(sourceOf(conv, 'm.safetensors'), { architecture });
        return E.isLeft(read) ? read : sound(read.right.graph);
      },
    },
    {
      name: 'pipeline',
      bytes: utf8(PIPELINE),
      read: (bytes: Uint8Array) => parsePipeline(textOf(bytes)),
    },
    {
      name: 'manifest',
      bytes: utf8(MANIFEST),
      read: (bytes: Uint8Array) => parseArtifactManifest(textOf(bytes)),
    },
  ].map(ownKind);
};
