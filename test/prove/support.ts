/**
 * Artifacts that are not what their model.kir says: a changed graph is compiled, and the true one put beside it. The
 * prover has to see the change and to say where it is.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { parseArtifactManifest } from '../../src/backends/artifact-manifest.js';
import type { Backend } from '../../src/backends/backend.js';
import type { ArtifactFiles } from '../../src/driver/models.js';
import { sha256Of } from '../../src/driver/node/hash.js';
import { nodeCapabilities } from '../../src/driver/node/index.js';
import { type Proof, proveArtifact } from '../../src/driver/prove/prove-artifact.js';
import { type CompileInput, compile, parseGraph } from '../../src/index.js';
import { type Constant, constant } from '../../src/ir/constant.js';
import { type Graph, isLevel, type Node, typesOf } from '../../src/ir/graph.js';
import { inferType, type Op, type OpKind, type OpOf } from '../../src/ir/ops/index.js';
import { printGraph } from '../../src/ir/print.js';
import type { StageMismatch } from '../../src/prove/prove.js';
import { rightOf } from '../support/checked.js';

export const example = (path: string): Uint8Array =>
  readFileSync(fileURLToPath(new URL(`../../examples/${path}`, import.meta.url)));

export const WINE: CompileInput = {
  checkpoint: example('models/efficient-kan-wine/model.safetensors'),
  calibration: example('data/wine/calib_inputs.npy'),
};

export const DIGITS: CompileInput = {
  checkpoint: example('models/efficient-kan-digits/model.safetensors'),
  calibration: example('data/digits/calib_inputs.npy'),
};

export const CONV: CompileInput = {
  checkpoint: example('models/conv-kan-fashion-batchnorm/model.safetensors'),
  architecture: new TextDecoder().decode(example('models/conv-kan-fashion-batchnorm/arch.json')),
  calibration: example('data/fashion-mnist/calib_images.npy'),
  inputDtype: 'u8',
  inputMean: 0.5,
  inputStd: 0.5,
};

/** The table graph that a checkpoint compiles to. */
export const tableGraphOf = async (input: CompileInput): Promise<Graph<'table'>> => {
  const { artifact } = await compile(input);
  const kir = artifact.files.get('model.kir');
  const graph = rightOf(parseGraph(typeof kir === 'string' ? kir : ''));
  if (!isLevel('table')(graph)) throw new Error(`a graph of level ${graph.level}`);
  return graph;
};

/** The nodes of a kind, in order. */
export const nodesOf = <K extends OpKind>(
  graph: Graph,
  kind: K,
): ReadonlyArray<Node & { readonly op: OpOf<K> }> =>
  graph.nodes.filter((node): node is Node & { readonly op: OpOf<K> } => node.op.kind === kind);

/** The graph with another op in place of that of `node`, and the type that it gives. */
export const withOp = (graph: Graph<'table'>, node: Node, op: Op): Graph<'table'> => {
  const types = typesOf(graph);
  const type = inferType(
    op,
    node.operands.map((o) => types.get(o)!),
  );
  if (E.isLeft(type)) throw new Error(type.left);
  return {
    ...graph,
    nodes: graph.nodes.map((n) => (n.name === node.name ? { ...n, op, type: type.right } : n)),
  };
};

/** A copy in which `change` may write. */
export const changed = (c: Constant, change: (data: Constant['data']) => void): Constant => {
  const data = c.data.slice();
  change(data);
  return constant(c.element, c.shape, data);
};

/** The program of `graph`, with `truth` as its model.kir. */
export const artifactOf = async <O>(
  backend: Backend<O>,
  options: O,
  graph: Graph<'table'>,
  truth: Graph<'table'> = graph,
): Promise<ArtifactFiles> => {
  const context = { version: 'test', kir: printGraph(truth) };
  const { files } = rightOf(await backend.emit(options, context)(graph)());
  return filesOf(files);
};

const filesOf = (files: ReadonlyMap<string, Uint8Array | string>): ArtifactFiles => {
  const bytes = new Map(
    [...files].map(([name, content]) => [
      name,
      typeof content === 'string' ? new TextEncoder().encode(content) : content,
    ]),
  );
  const manifest = rightOf(parseArtifactManifest(new TextDecoder().decode(bytes.get('manifest.json'))));
  return { folder: 'artifact', manifest, files: bytes };
};

/** The artifact with another file, and a manifest that knows it. */
export const withFile = (
  artifact: ArtifactFiles,
  name: string,
  content: Uint8Array | string,
): ArtifactFiles => {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  const hashes = { ...artifact.manifest.files, [name]: sha256Of(bytes) };
  const manifest = JSON.stringify({ ...artifact.manifest, files: hashes });
  return filesOf(
    new Map<string, Uint8Array | string>([...artifact.files, [name, bytes], ['manifest.json', manifest]]),
  );
};

export const prove = async (artifact: ArtifactFiles): Promise<Proof> =>
  rightOf(
    await pipe(
      proveArtifact(nodeCapabilities(), artifact, { seconds: 2, onProgress: () => {} }),
      TE.map((p) => p),
    )(),
  );

/** The first mismatch of every claim that has one. */
export const mismatchesOf = ({ findings }: Proof): ReadonlyArray<StageMismatch> =>
  findings.flatMap((f) => (f.first === undefined ? [] : [f.first]));

/** The values of stages that are not proved. */
export const sampledIn = ({ findings }: Proof): ReadonlyArray<string> => [
  ...new Set(findings.filter((f) => f.claim === 'sampled').map((f) => f.value)),
];

/** Where two arrays of bytes are the same: the first place of `part` in `whole`, or -1. */
export const placeOf = (whole: Uint8Array, part: Uint8Array): number => Buffer.from(whole).indexOf(part);
