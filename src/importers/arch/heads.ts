/**
 * KAN layers of the other families inside a network: the importer of the family reads the tensors under a prefix
 * as if they were a checkpoint of their own, and its graph is continued in ours. So a head is whatever its family
 * can read, one layer or several, and there is one reader for it.
 */
import * as E from 'fp-ts/lib/Either.js';
import { type Checked, fail, printable } from '../../diagnostics/index.js';
import type { ValueName } from '../../ir/graph.js';
import { dotted, renaming } from '../containers/select.js';
import type { FileTensor, TensorFile } from '../containers/tensor.js';
import { emit, type Step } from '../families/conv/scope.js';
import type { Assumption, Family, ImportOptions } from '../family.js';
import { sourceOf } from '../source.js';

export interface HeadSpec {
  readonly name: string;
  readonly prefix: string;
  /** What the layer says about itself, and the options of the import where it does not. */
  readonly options: ImportOptions;
}

/** The tensors under a prefix, under the names that the family has for them, and back to their own names. */
const underPrefix = (
  file: TensorFile,
  prefix: string,
): { readonly file: TensorFile; readonly ownName: (name: string) => string } => {
  const from = dotted(prefix);
  const names = [...file.tensors.keys()].filter((name) => name.startsWith(from));
  // A prefix names a whole network, whose layers are numbered, or one of its layers.
  const whole = names.some((name) => /^layers\.\d+\./.test(name.slice(from.length)));
  const added = whole ? '' : 'layers.0.';
  const tensors = new Map<string, FileTensor>();
  for (const name of names) {
    const tensor = file.tensors.get(name);
    if (tensor !== undefined) tensors.set(`${added}${name.slice(from.length)}`, tensor);
  }
  const ownName = (name: string): string => from + (name.startsWith(added) ? name.slice(added.length) : name);
  return { file: { ...file, tensors }, ownName };
};

/** The layers of a family under a prefix. `assumed` is told what the family had to assume. */
export const head =
  (family: Family, spec: HeadSpec, assumed: (assumptions: ReadonlyArray<Assumption>) => void): Step =>
  (scope, value) => {
    const { file, ownName } = underPrefix(scope.file, spec.prefix);
    if (file.tensors.size === 0) {
      return fail('K0202', `no tensor is named ${printable(dotted(spec.prefix), 60)}...`, {
        expected: `the tensors of a ${family.name} layer under the prefix`,
      });
    }
    const read = renaming(ownName)(family.read(file, spec.options, sourceOf(new Uint8Array(0), '')));
    if (E.isLeft(read)) return read;
    assumed(read.right.assumptions);
    const { inputs, nodes, outputs } = read.right.graph;
    const [input, output] = [inputs[0], outputs[0]];
    const given = scope.builder.typeOf(value).shape;
    if (input === undefined || output === undefined || inputs.length > 1 || outputs.length > 1) {
      return fail('K0203', 'the layer has not one input and one output');
    }
    if (given.length !== 1 || given[0] !== input.type.shape[0]) {
      return fail(
        'K0203',
        `the layer takes ${input.type.shape.join('x')} features, but it is given a value of shape [${given.join(', ')}]`,
        given.length === 1 ? {} : { hint: 'A flatten layer makes features of an image.' },
      );
    }
    const renamed = new Map<ValueName, ValueName>([[input.name, value]]);
    for (const node of nodes) {
      const hint = node.name === output ? spec.name : `${spec.name}.${node.name}`;
      const operands: ReadonlyArray<ValueName> = node.operands.flatMap((o) => renamed.get(o) ?? []);
      const now: Checked<ValueName> = emit(scope, hint, node.op, operands);
      if (E.isLeft(now)) return now;
      renamed.set(node.name, now.right);
    }
    return E.right(renamed.get(output) ?? value);
  };
