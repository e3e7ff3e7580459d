/**
 * Edges that pykan fixed to a formula: a2 * f(a0 * x + a1) + a3. They are one branch of the layer whose functions
 * differ per input: every different f(a0 * x + a1) of an input once, a2 in the weights and a3 in the bias.
 */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, printable } from '../../../diagnostics/index.js';
import type { Branch } from '../../../ir/basis.js';
import { constant } from '../../../ir/constant.js';
import { F32, uint } from '../../../ir/element.js';
import { isSymbolicFunction, SYMBOLIC_FUNCTIONS, type SymbolicFunction } from '../../../numeric/symbolic.js';
import type { FileTensor } from '../../containers/tensor.js';

export interface SymbolicEdges {
  /** [S, I]. */
  readonly mask: FileTensor;
  /** [S, I, 4]. */
  readonly affine: FileTensor;
  /** [S][I]; undefined where the configuration does not say them. */
  readonly names: ReadonlyArray<ReadonlyArray<string>> | undefined;
  /** What to do where they are not known, for messages. */
  readonly formulas: string;
}

export interface SymbolicPart {
  /** Absent where no edge is symbolic. */
  readonly branch?: Branch;
  /** For each sub-node what the edges add without x. */
  readonly bias: Float64Array;
}

/** A function of one input with the outputs that use it. */
interface Use {
  readonly name: SymbolicFunction;
  readonly scale: number;
  readonly shift: number;
  readonly weights: Map<number, number>;
}

/** `outer`: what each sub-node is multiplied with afterwards. `layer` is for messages. */
export const symbolicPart = (
  { mask, affine, names, formulas }: SymbolicEdges,
  outer: Float64Array,
  layer: number,
): Checked<SymbolicPart> => {
  const [outputs, inputs] = [mask.shape[0]!, mask.shape[1]!];
  const bias = new Float64Array(outputs);
  const uses: Map<string, Use>[] = Array.from({ length: inputs }, () => new Map());
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) {
      const edge = o * inputs + i;
      const factor = mask.data[edge]! * outer[o]!;
      if (mask.data[edge] === 0) continue;
      const name = nameOf({ names, formulas }, layer, o, i);
      if (E.isLeft(name)) return name;
      const [a0, a1, a2, a3] = affine.data.subarray(4 * edge, 4 * edge + 4);
      bias[o]! += factor * a3!;
      if (name.right === '0' || a2 === 0) continue;
      const key = `${name.right} ${a0} ${a1}`;
      const use = uses[i]!.get(key) ?? { name: name.right, scale: a0!, shift: a1!, weights: new Map() };
      use.weights.set(o, factor * a2!);
      uses[i]!.set(key, use);
    }
  }
  const branch = branchOf(
    uses.map((u) => [...u.values()]),
    outputs,
  );
  return E.right({ bias, ...(branch === undefined ? {} : { branch }) });
};

const nameOf = (
  { names, formulas }: Pick<SymbolicEdges, 'names' | 'formulas'>,
  layer: number,
  o: number,
  i: number,
): Checked<SymbolicFunction> => {
  const place = { tensor: `symbolic_fun.${layer}.mask` };
  const name = names?.[o]?.[i];
  if (name === undefined) {
    return fail('K0202', `the edge from input ${i} to ${o} is symbolic, but its function is not known`, {
      place,
      expected: `its name in symbolic.funs_name.${layer} of the _config.yml file beside the state`,
      hint: formulas,
    });
  }
  return isSymbolicFunction(name)
    ? E.right(name)
    : fail('K0206', `the edge from input ${i} to ${o} is the function '${printable(name, 60)}'`, {
        place,
        expected: `one of ${Object.keys(SYMBOLIC_FUNCTIONS).join(', ')}`,
      });
};

/** Inputs with fewer functions than others are filled up with '0'. */
const branchOf = (uses: ReadonlyArray<ReadonlyArray<Use>>, outputs: number): Branch | undefined => {
  const count = Math.max(0, ...uses.map((u) => u.length));
  if (count === 0) return undefined;
  const functions: SymbolicFunction[] = ['0'];
  const kinds = new Uint8Array(uses.length * count);
  const inner = new Float32Array(uses.length * count * 2);
  const weights = new Float32Array(uses.length * count * outputs);
  for (const [i, row] of uses.entries()) {
    for (const [k, use] of row.entries()) {
      const at = i * count + k;
      if (!functions.includes(use.name)) functions.push(use.name);
      kinds[at] = functions.indexOf(use.name);
      inner.set([use.scale, use.shift], 2 * at);
      for (const [o, weight] of use.weights) weights[at * outputs + o] = weight;
    }
  }
  return {
    basis: {
      _tag: 'symbolic',
      functions,
      kinds: constant(uint(8), [uses.length, count], kinds),
      inner: constant(F32, [uses.length, count, 2], inner),
    },
    weights: constant(F32, [uses.length, count, outputs], weights),
  };
};
