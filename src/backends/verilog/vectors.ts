/** Golden vectors: codes at the input ports and the integers that the interpreter gives for them. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { type Checked, InternalError } from '../../diagnostics/index.js';
import type { Graph } from '../../ir/graph.js';
import { interpret } from '../../ir/interpret.js';
import { emptyTensor, type Tensor } from '../../ir/tensor.js';
import type { Circuit } from './lower.js';
import type { Port } from './ports.js';
import { codesAtPorts, portValues } from './ports.js';

export interface Vectors {
  readonly samples: number;
  /** Row-major, as the ports are numbered. */
  readonly codes: ArrayLike<number>;
  readonly expected: ArrayLike<number>;
}

/** Runs the interpreter on inputs of the graph. */
export const vectorsOf = (graph: Graph<'table'>, circuit: Circuit, input: Tensor): Checked<Vectors> => {
  const values = new Map<string, Tensor>([[graph.inputs[0]!.name, input]]);
  const kept = new Set<string>([...portValues(circuit.inputs), circuit.to]);
  return pipe(
    interpret(graph, [input], (name, value) => {
      if (kept.has(name)) values.set(name, value);
    }),
    E.map(() => {
      const expected = values.get(circuit.to);
      if (expected === undefined) throw new InternalError('a value was not computed');
      const sources = circuit.inputs.map(({ source }) => source);
      const data = new Map([...values].map(([name, value]) => [name, value.data]));
      const codes = codesAtPorts(sources, data, input.batch);
      return { samples: input.batch, codes, expected: expected.data };
    }),
  );
};

/** Evenly spaced samples, at most `limit`. */
export const someOf = (tensor: Tensor, limit: number): Tensor => {
  if (tensor.batch <= limit) return tensor;
  const size = tensor.data.length / tensor.batch;
  const picked = emptyTensor(tensor.type, limit);
  for (let s = 0; s < limit; s++) {
    const from = Math.floor((s * tensor.batch) / limit) * size;
    picked.data.set(tensor.data.subarray(from, from + size), s * size);
  }
  return picked;
};

/** The bits of one row of ports, the first port lowest. */
export const packed = (
  ports: ReadonlyArray<Pick<Port, 'width'>>,
  values: ArrayLike<number>,
  at: number,
): bigint => {
  let bits = 0n;
  let shift = 0n;
  for (const [k, { width }] of ports.entries()) {
    bits |= BigInt.asUintN(width, BigInt(values[at + k]!)) << shift;
    shift += BigInt(width);
  }
  return bits;
};

export const widthOf = (ports: ReadonlyArray<Pick<Port, 'width'>>): number =>
  ports.reduce((n, p) => n + p.width, 0);

/** One line of hexadecimal digits for each vector: what is expected above the codes. For $readmemh. */
export const vectorText = ({ inputs, outputs }: Circuit, { samples, codes, expected }: Vectors): string => {
  const digits = Math.ceil((widthOf(inputs) + widthOf(outputs)) / 4);
  const lines = Array.from({ length: samples }, (_, s) => {
    const low = packed(inputs, codes, s * inputs.length);
    const high = packed(outputs, expected, s * outputs.length);
    return ((high << BigInt(widthOf(inputs))) | low).toString(16).padStart(digits, '0');
  });
  return `${lines.join('\n')}\n`;
};
