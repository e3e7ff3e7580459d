/**
 * Functions of one variable, each kept once. While a tensor program is followed element by element, every element
 * that depends on one source is a function of it; equal functions have the same number, so that what is the same for
 * thousands of elements is told by comparing integers.
 *
 * Numbers ascend from parts to wholes. Values are doubles: the roundings of the program between its ops are left out.
 */
import { match } from 'ts-pattern';
import { invariant } from '../diagnostics/index.js';
import { applyScalar, arityOf, type ScalarFunction } from '../numeric/scalar.js';

/** The number of a function. */
export type FunctionId = number;

/** What a function is made of. */
export type FunctionNode =
  | { readonly kind: 'x' }
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'call'; readonly fn: ScalarFunction; readonly args: ReadonlyArray<FunctionId> }
  /** The sum of `parts`, each times its factor. */
  | {
      readonly kind: 'sum';
      readonly parts: Int32Array;
      readonly factors: Float64Array;
    }
  /** Entry floor(arg) of a table, from the end where it is negative; NaN outside. */
  | { readonly kind: 'lookup'; readonly table: Float64Array; readonly arg: FunctionId };

export interface FunctionTable {
  /** The variable itself. */
  readonly x: FunctionId;
  readonly size: () => number;
  readonly nodeOf: (id: FunctionId) => FunctionNode;
  readonly constant: (value: number) => FunctionId;
  /** Folded where all arguments are constants; otherwise as it stands, so that like things stay alike. */
  readonly call: (fn: ScalarFunction, a: FunctionId, b?: FunctionId, c?: FunctionId) => FunctionId;
  readonly sum: (parts: Int32Array, factors: Float64Array) => FunctionId;
  readonly lookup: (table: Float64Array, arg: FunctionId) => FunctionId;
  /** The value of a constant function. */
  readonly constantOf: (id: FunctionId) => number | undefined;
  /** Values of the functions at x: `evaluate(x)` fills `values` in the order of ids. */
  readonly evaluator: (ids: ReadonlyArray<FunctionId>) => {
    readonly values: Float64Array;
    readonly evaluate: (x: number) => void;
  };
}

const X: FunctionId = 0;

const hash4 = (a: number, b: number, c: number, d: number): number => {
  let h = Math.imul(a, 0x9e3779b1) ^ Math.imul(b + 0x7f4a7c15, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 15), 0xc2b2ae35) ^ Math.imul(c + 0x165667b1, 0x27d4eb2f);
  h = Math.imul(h ^ (h >>> 13), 0x9e3779b1) ^ Math.imul(d + 0x61c88647, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
};

/** Calls by what they call, in an open hash table of integers: it is asked once for each element of each op. */
class Calls {
  private slots = new Int32Array(1 << 12).fill(-1);
  private keys = new Int32Array(1 << 12);
  private count = 0;

  /** The function of this key, or the one that `make` makes. */
  find(op: number, a: number, b: number, c: number, make: () => FunctionId): FunctionId {
    let at = hash4(op, a, b, c) & (this.slots.length - 1);
    for (;;) {
      const slot = this.slots[at]!;
      if (slot < 0) break;
      const k = slot * 5;
      if (this.keys[k] === op && this.keys[k + 1] === a && this.keys[k + 2] === b && this.keys[k + 3] === c) {
        return this.keys[k + 4]!;
      }
      at = (at + 1) & (this.slots.length - 1);
    }
    const id = make();
    this.insert(op, a, b, c, id);
    return id;
  }

  private insert(op: number, a: number, b: number, c: number, id: FunctionId): void {
    if (this.count * 5 + 5 > this.keys.length) {
      const keys = new Int32Array(this.keys.length * 2);
      keys.set(this.keys);
      this.keys = keys;
    }
    this.keys.set([op, a, b, c, id], this.count * 5);
    this.count++;
    if (this.count * 2 > this.slots.length) this.rehash();
    else this.place(this.count - 1);
  }

  private place(entry: number): void {
    const k = entry * 5;
    let at =
      hash4(this.keys[k]!, this.keys[k + 1]!, this.keys[k + 2]!, this.keys[k + 3]!) & (this.slots.length - 1);
    while (this.slots[at]! >= 0) at = (at + 1) & (this.slots.length - 1);
    this.slots[at] = entry;
  }

  private rehash(): void {
    this.slots = new Int32Array(this.slots.length * 2).fill(-1);
    for (let entry = 0; entry < this.count; entry++) this.place(entry);
  }
}

const sameNumbers = (a: ArrayLike<number>, b: ArrayLike<number>): boolean => {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
};

const bits = new DataView(new ArrayBuffer(8));
const hashNumbers = (seed: number, data: Float64Array): number => {
  let h = seed;
  for (const v of data) {
    bits.setFloat64(0, v);
    h = hash4(h, bits.getInt32(0), bits.getInt32(4), 1);
  }
  return h;
};

// Long: what makes functions shares the tables in which they are found again.
export const functionTable = (): FunctionTable => {
  const nodes: FunctionNode[] = [{ kind: 'x' }];
  const constants = new Map<number, FunctionId>();
  const operators = new Map<ScalarFunction, number>();
  const calls = new Calls();
  const buckets = new Map<number, FunctionId[]>();

  const add = (node: FunctionNode): FunctionId => nodes.push(node) - 1;
  const literalOf = (id: FunctionId): number | undefined => {
    const node = nodes[id]!;
    return node.kind === 'constant' ? node.value : undefined;
  };
  const constant = (value: number): FunctionId => {
    const known = constants.get(value);
    if (known !== undefined) return known;
    const id = add({ kind: 'constant', value });
    constants.set(value, id);
    return id;
  };
  /** One of the functions with this hash that is the same, or a new one. */
  const shared = (hash: number, same: (node: FunctionNode) => boolean, node: FunctionNode): FunctionId => {
    const bucket = buckets.get(hash) ?? [];
    const known = bucket.find((id) => same(nodes[id]!));
    if (known !== undefined) return known;
    const id = add(node);
    bucket.push(id);
    buckets.set(hash, bucket);
    return id;
  };

  const call: FunctionTable['call'] = (fn, a, b = -1, c = -1) => {
    let op = operators.get(fn);
    if (op === undefined) {
      op = operators.size;
      operators.set(fn, op);
    }
    return calls.find(op, a, b, c, () => {
      const args = [a, b, c].slice(0, arityOf(fn));
      invariant(
        args.every((arg) => arg >= 0),
        `${fn} lacks an argument`,
      );
      const values = args.map(literalOf);
      if (values.every((v) => v !== undefined)) {
        return constant(applyScalar(fn, values[0] ?? 0, values[1] ?? 0, values[2] ?? 0));
      }
      return add({ kind: 'call', fn, args });
    });
  };

  const sum: FunctionTable['sum'] = (parts, factors) => {
    let h = hash4(parts.length, 1, 2, 3);
    for (const p of parts) h = hash4(h, p, 0, 2);
    return shared(
      hashNumbers(h, factors),
      (n) => n.kind === 'sum' && sameNumbers(n.parts, parts) && sameNumbers(n.factors, factors),
      { kind: 'sum', parts, factors },
    );
  };

  const lookup: FunctionTable['lookup'] = (table, arg) =>
    shared(
      hashNumbers(hash4(arg, 7, 7, 7), table),
      (n) => n.kind === 'lookup' && n.arg === arg && sameNumbers(n.table, table),
      { kind: 'lookup', table, arg },
    );

  return {
    x: X,
    size: () => nodes.length,
    nodeOf: (id) => nodes[id]!,
    constant,
    call,
    sum,
    lookup,
    constantOf: literalOf,
    evaluator: (ids) => evaluatorOf(nodes, ids),
  };
};

const NOTHING: ReadonlyArray<FunctionId> = [];

/** The functions that a node takes. It is asked for every function of a layer, several times: a plain switch. */
export const argumentsOf = (node: FunctionNode): ArrayLike<FunctionId> => {
  switch (node.kind) {
    case 'call':
      return node.args;
    case 'sum':
      return node.parts;
    case 'lookup':
      return [node.arg];
    case 'x':
    case 'constant':
      return NOTHING;
  }
};

/** The given functions and all that they are made of, parts before wholes. */
export const partsOf = (
  nodeOf: (id: FunctionId) => FunctionNode,
  ids: Iterable<FunctionId>,
): ReadonlyArray<FunctionId> => {
  const seen = new Set<FunctionId>(ids);
  // A set grows while it is gone through; ids ascend from parts to wholes.
  for (const part of seen) {
    const taken = argumentsOf(nodeOf(part));
    for (let k = 0; k < taken.length; k++) seen.add(taken[k]!);
  }
  return [...seen].sort((a, b) => a - b);
};

/** Entry floor(at) of a table, counted from its end where negative. */
export const entryOf = (table: Float64Array, at: number): number => {
  const i = Math.floor(at);
  return table[i < 0 ? i + table.length : i] ?? Number.NaN;
};

/** What computes register `r` from the registers of its arguments. */
const stepOf = (
  node: FunctionNode,
  r: number,
  registers: Float64Array,
  at: (id: FunctionId | undefined) => number,
): ((x: number) => void) =>
  match(node)
    .returnType<(x: number) => void>()
    .with({ kind: 'x' }, () => (x) => {
      registers[r] = x;
    })
    .with({ kind: 'constant' }, ({ value }) => () => {
      registers[r] = value;
    })
    .with({ kind: 'call' }, ({ fn, args }) => {
      const [a, b, c] = [at(args[0]), at(args[1]), at(args[2])];
      return () => {
        registers[r] = applyScalar(fn, registers[a]!, registers[b]!, registers[c]!);
      };
    })
    .with({ kind: 'sum' }, ({ parts, factors }) => {
      const from = Int32Array.from(parts, at);
      return () => {
        let total = 0;
        for (let j = 0; j < from.length; j++) total += factors[j]! * registers[from[j]!]!;
        registers[r] = total;
      };
    })
    .with({ kind: 'lookup' }, ({ table, arg }) => {
      const from = at(arg);
      return () => {
        registers[r] = entryOf(table, registers[from]!);
      };
    })
    .exhaustive();

const evaluatorOf = (
  nodes: ReadonlyArray<FunctionNode>,
  ids: ReadonlyArray<FunctionId>,
): ReturnType<FunctionTable['evaluator']> => {
  const order = partsOf((id) => nodes[id]!, ids);
  const place = new Map(order.map((id, at) => [id, at]));
  const at = (id: FunctionId | undefined): number => (id === undefined ? 0 : place.get(id)!);
  const registers = new Float64Array(order.length);
  const steps = order.map((id, r) => stepOf(nodes[id]!, r, registers, at));
  const values = new Float64Array(ids.length);
  const from = ids.map(at);
  return {
    values,
    evaluate: (x) => {
      for (const step of steps) step(x);
      for (let i = 0; i < from.length; i++) values[i] = registers[from[i]!]!;
    },
  };
};
