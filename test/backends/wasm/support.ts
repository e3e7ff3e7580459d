/** Compiles graphs in memory and compares every integer with the interpreter. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { expect } from 'vitest';
import type { Artifact } from '../../../src/backends/backend.js';
import { wasm } from '../../../src/backends/wasm/index.js';
import { type Input, instantiate, type Program } from '../../../src/backends/wasm/runtime.js';
import type { Checked } from '../../../src/diagnostics/index.js';
import type { Builder } from '../../../src/ir/builder.js';
import type { Graph, ValueName } from '../../../src/ir/graph.js';
import { interpret } from '../../../src/ir/interpret.js';
import { checkOp, proveOp } from '../../../src/ir/ops/index.js';
import type { Tensor } from '../../../src/ir/tensor.js';
import { rightOf } from '../../support/checked.js';

/** A finished graph whose ops also pass the checks of values (legal graphs are what a backend promises to compile). */
export const finish = (b: Builder<'table'>, output: ValueName): Graph<'table'> => {
  const graph = rightOf(b.build([output]));
  for (const node of graph.nodes) {
    const operands = node.operands.map(b.typeOf);
    const checked = pipe(
      checkOp(node.op, operands),
      E.flatMap(() => proveOp(node.op, operands)),
    );
    if (E.isLeft(checked)) throw new Error(`${node.name}: ${checked.left}`);
  }
  return graph;
};

export const emit = (graph: Graph<'table'>, options = {}): Promise<Checked<Artifact>> =>
  wasm.emit(options, { version: 'test' })(graph)();

export const compile = async (graph: Graph<'table'>): Promise<Program> =>
  rightOf(
    await pipe(
      wasm.emit({}, { version: 'test' })(graph),
      TE.flatMap((artifact) => instantiate(artifact.files)),
    )(),
  );

const tensorOf = (graph: Graph, data: Input): Tensor => {
  const { type } = graph.inputs[0]!;
  return { type, batch: data.length / type.shape.reduce((n, d) => n * d, 1), data };
};

/** Bits of floats, so that -0 and NaN count; integers as they are. */
const exact = (data: ArrayLike<number>): ReadonlyArray<number> =>
  data instanceof Float32Array
    ? Array.from(new Int32Array(data.buffer, data.byteOffset, data.length))
    : Array.from(data);

/** Every sample: results, last integers and all buffers equal the interpreter's values. Returns the buffers seen. */
export const expectSame = async (graph: Graph<'table'>, data: Input): Promise<ReadonlySet<string>> => {
  const program = await compile(graph);
  const values = new Map<string, Tensor>();
  const [want] = rightOf(
    interpret(graph, [tensorOf(graph, data)], (name, value) => {
      values.set(name, value);
    }),
  );
  expect(exact(rightOf(program.predict(data)))).toEqual(exact(want!.data));
  expect(exact(rightOf(program.predictRaw(data)))).toEqual(
    exact(values.get(program.manifest.raw.name)!.data),
  );
  const seen = new Set<string>();
  for (let n = 0; n < data.length / program.features; n++) {
    const sample = data.subarray(n * program.features, (n + 1) * program.features);
    for (const [name, got] of rightOf(program.inspect(sample))) {
      const all = values.get(name)!.data;
      expect(exact(got), `%${name} of sample ${n}`).toEqual(
        exact(all.subarray(n * got.length, (n + 1) * got.length)),
      );
      seen.add(name);
    }
  }
  return seen;
};
