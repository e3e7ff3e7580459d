/** From an architecture and the tensors of a checkpoint to a float graph. */
import * as E from 'fp-ts/lib/Either.js';
import { match } from 'ts-pattern';
import { type Checked, type Diagnostic, type Diagnostics, fail } from '../../diagnostics/index.js';
import { builder } from '../../ir/builder.js';
import { toValueName } from '../../ir/graph.js';
import { floatType } from '../../ir/types.js';
import { type Activation, isActivation } from '../../numeric/activations.js';
import type { TensorFile } from '../containers/tensor.js';
import { chebyKan } from '../families/cheby-kan.js';
import { fastKanConv, kanConv } from '../families/conv-kan.js';
import { channelNorm, layerNorm } from '../families/conv-norm.js';
import { activation, conv, flatten, linear, pooling, prelu } from '../families/conv-plain.js';
import { kacnConv, kagnConv } from '../families/conv-polynomial.js';
import { dotted, residual, type Step, sequence } from '../families/conv-scope.js';
import type { Geometry } from '../families/conv-weights.js';
import { efficientKan } from '../families/efficient-kan.js';
import { fastKan } from '../families/fast-kan.js';
import type { Assumption, ImportOptions, Reading } from '../family.js';
import { activationOf, assumedActivation } from '../options.js';
import { type Architecture, InputShape, isInputShape } from './architecture.js';
import { head } from './heads.js';
import type { Extent, LayerSpec } from './layers.js';

/** What all layers of one network share. */
interface Context {
  /** For base branches of which the file does not say it, where the user has. */
  readonly given: Activation | undefined;
  readonly assumed: (assumptions: ReadonlyArray<Assumption>) => void;
}

const both = (e: Extent | undefined, otherwise: number): readonly [number, number] =>
  e === undefined ? [otherwise, otherwise] : typeof e === 'number' ? [e, e] : e;

interface Extents {
  readonly stride?: Extent;
  readonly padding?: Extent;
  readonly dilation?: Extent;
}

const geometryOf = ({ stride, padding, dilation }: Extents): Geometry => ({
  stride: both(stride, 1),
  padding: both(padding, 0),
  dilation: both(dilation, 1),
});

interface ConvFields extends Extents {
  readonly prefix: string;
  readonly groups?: number;
  readonly norm?: 'stored' | 'none';
  readonly epsilon?: number;
}

const EPSILON = 1e-5;

const ASSUMED_KNOTS: Assumption = {
  what: 'the knots of spline convolutions are not stored',
  assumed: 'order 3, uniform over [-1, 1], where the layer does not say otherwise',
  option: '--arch',
};

const convOf = (name: string, spec: ConvFields) => ({
  name,
  prefix: dotted(spec.prefix),
  geometry: geometryOf(spec),
  epsilon: spec.epsilon ?? EPSILON,
  norm: spec.norm !== 'none',
});

/** The name of a layer's value: that of its tensors where it is a name, its number in a Sequential otherwise. */
const nameOf = (spec: LayerSpec): string => {
  if ('prefix' in spec && spec.prefix !== undefined) {
    const { prefix } = spec;
    if (toValueName(prefix) !== undefined) return prefix;
    if (/^\d+$/.test(prefix)) return `layer${prefix}`;
  }
  const first = spec.type === 'residual' ? spec.body[0] : undefined;
  const inside = first === undefined ? '' : nameOf(first).replace(/\.?[^.]*$/, '');
  return toValueName(inside) === undefined ? spec.type.replaceAll('-', '_') : `${inside}.sum`;
};

const stepOf = (spec: LayerSpec, path: string, context: Context): Step => {
  const name = nameOf(spec);
  const from = 'prefix' in spec && spec.prefix !== undefined ? dotted(spec.prefix) : '';
  const epsilon = 'epsilon' in spec && spec.epsilon !== undefined ? spec.epsilon : EPSILON;
  const chosen = ('baseActivation' in spec ? spec.baseActivation : undefined) ?? context.given;
  const base = (usual: Activation): Activation => {
    if (chosen === undefined) context.assumed(assumedActivation({}, usual));
    return chosen ?? usual;
  };
  const pool = (s: Extents & { readonly kernel?: Extent }, reduce: 'mean' | 'max'): Step =>
    pooling({
      name,
      reduce,
      padding: both(s.padding, 0),
      ...(s.kernel === undefined ? {} : { kernel: both(s.kernel, 1) }),
      ...(s.stride === undefined ? {} : { stride: both(s.stride, 1) }),
    });
  const headOf = (family: typeof efficientKan, prefix: string): Step =>
    head(
      family,
      { name, prefix, ...(chosen === undefined ? {} : { baseActivation: chosen }) },
      context.assumed,
    );
  return match(spec)
    .with({ type: 'kan-conv2d' }, (s) => {
      if (s.splineOrder === undefined || s.gridRange === undefined) context.assumed([ASSUMED_KNOTS]);
      return kanConv({
        ...convOf(name, s),
        activation: base('gelu'),
        order: s.splineOrder ?? 3,
        range: s.gridRange ?? [-1, 1],
      });
    })
    .with({ type: 'fast-kan-conv2d' }, (s) => fastKanConv({ ...convOf(name, s), activation: base('silu') }))
    .with({ type: 'kacn-conv2d' }, (s) => kacnConv(convOf(name, s)))
    .with({ type: 'kagn-conv2d' }, (s) => kagnConv(convOf(name, s)))
    .with({ type: 'kaln-conv2d' }, () => refuseKaln)
    .with({ type: 'conv2d' }, (s) => conv(name, from, geometryOf(s)))
    .with({ type: 'linear' }, () => linear(name, from))
    .with({ type: 'batch-norm' }, () => needsStatistics(from, { name, prefixes: [from], epsilon }))
    .with({ type: 'instance-norm' }, (s) =>
      // Without a prefix no tensor has the name, so that there are no weights.
      channelNorm({ name, prefixes: [s.prefix === undefined ? NO_TENSORS : from], epsilon }),
    )
    .with({ type: 'layer-norm' }, (s) => layerNorm(name, s.prefix === undefined ? NO_TENSORS : from, epsilon))
    .with({ type: 'activation' }, (s) => activation(name, s.function))
    .with({ type: 'prelu' }, () => prelu(name, from))
    .with({ type: 'avgpool' }, (s) => pool(s, 'mean'))
    .with({ type: 'maxpool' }, (s) => pool(s, 'max'))
    .with({ type: 'flatten' }, () => flatten(name))
    .with({ type: 'efficient-kan' }, (s) => headOf(efficientKan, s.prefix))
    .with({ type: 'fast-kan' }, (s) => headOf(fastKan, s.prefix))
    .with({ type: 'cheby-kan' }, (s) => headOf(chebyKan, s.prefix))
    .with({ type: 'residual' }, (s) =>
      residual(
        name,
        stepsOf(s.body, `${path}.body`, context),
        stepsOf(s.shortcut ?? [], `${path}.shortcut`, context),
      ),
    )
    .exhaustive();
};

/** No tensor of a checkpoint can be named so. */
const NO_TENSORS = '\u0000';

const refuseKaln: Step = () =>
  fail('K0201', 'KALN convolutions scale their input by the least and largest value of the whole batch', {
    expected: 'layers whose result for a sample does not depend on the other samples',
    hint: 'Train with KAGN, KACN or KAN convolutions instead: they squash every value by itself.',
  });

const needsStatistics =
  (prefix: string, spec: Parameters<typeof channelNorm>[0]): Step =>
  (scope, value) =>
    scope.file.tensors.has(`${prefix}running_mean`) || scope.file.tensors.has(`${prefix}running_var`)
      ? channelNorm(spec)(scope, value)
      : fail('K0202', 'the tensor is missing', { place: { tensor: `${prefix}running_mean` } });

/** The layer at fault, in front of what is wrong. */
const inLayer =
  (path: string, type: string) =>
  (diagnostics: Diagnostics): Diagnostics => {
    // The innermost layer is told once; what is around it has nothing to add.
    const one = (d: Diagnostic): Diagnostic =>
      d.message.startsWith('layers[') ? d : { ...d, message: `${path} (${type}): ${d.message}` };
    const [first, ...rest] = diagnostics;
    return [one(first), ...rest.map(one)];
  };

/** Groups are counted by the tensors; what the file says about them must agree. */
const checkGroups =
  (spec: LayerSpec, step: Step): Step =>
  (scope, value) => {
    const said = 'groups' in spec ? spec.groups : undefined;
    const before = scope.builder.typeOf(value).shape[0];
    const done = step(scope, value);
    if (said === undefined || E.isLeft(done) || !('prefix' in spec) || spec.prefix === undefined) return done;
    const found = groupsIn(scope.file, dotted(spec.prefix), before ?? 1);
    return found === undefined || found === said
      ? done
      : fail('K0203', `groups is ${said}, but the tensors are of ${found} group(s)`, {
          place: { tensor: `${dotted(spec.prefix)}...` },
        });
  };

/** The groups that the tensors of a convolution tell: as many as its lists have members, or channels fit its kernel. */
const groupsIn = (file: TensorFile, prefix: string, channels: number): number | undefined => {
  for (const list of ['base_conv', 'poly_conv']) {
    let count = 0;
    while (file.tensors.has(`${prefix}${list}.${count}.weight`)) count++;
    if (count > 0) return count;
  }
  const stack = file.tensors.get(`${prefix}base_conv.weight`) ?? file.tensors.get(`${prefix}weight`);
  const takes = stack?.shape[1];
  return takes === undefined ? undefined : channels / takes;
};

const stepsOf = (layers: ReadonlyArray<LayerSpec>, path: string, context: Context): Step =>
  sequence(
    layers.map((spec, index): Step => {
      const where = `${path}[${index}]`;
      const step = checkGroups(spec, stepOf(spec, where, context));
      return (scope, value) => E.mapLeft(inLayer(where, spec.type))(step(scope, value));
    }),
  );

/** The input that the architecture names, or the one that the user gave. */
const inputOf = (arch: Architecture, { inputShape }: ImportOptions): Checked<ReadonlyArray<number>> =>
  isInputShape(inputShape ?? arch.input)
    ? E.right(inputShape ?? arch.input)
    : fail('K0206', `the input shape is [${(inputShape ?? arch.input).join(', ')}]`, {
        place: { option: '--input-shape' },
        expected: InputShape.name,
      });

/** Builds the network. Diagnostics name the layer and the tensor. */
export const buildArchitecture = (
  arch: Architecture,
  file: TensorFile,
  options: ImportOptions,
): Checked<Reading> => {
  const input = inputOf(arch, options);
  if (E.isLeft(input)) return input;
  const activation = activationOf(options, 'silu');
  if (E.isLeft(activation)) return activation;
  // By what they are about: a hundred layers assume the same.
  const assumptions = new Map<string, Assumption>();
  const given = options.baseActivation;
  const context: Context = {
    given: given !== undefined && isActivation(given) ? given : undefined,
    assumed: (more) => {
      for (const one of more) assumptions.set(one.what, one);
    },
  };
  const b = builder(options.name ?? 'model', 'float');
  const x = b.input('x', floatType(input.right));
  const output = stepsOf(arch.layers, 'layers', context)({ builder: b, file }, x);
  if (E.isLeft(output)) return output;
  const graph = b.build([output.right]);
  return E.isLeft(graph) ? graph : E.right({ graph: graph.right, assumptions: [...assumptions.values()] });
};
