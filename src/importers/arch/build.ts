/** From an architecture and the tensors of a checkpoint to a float graph. */
import * as E from 'fp-ts/lib/Either.js';
import { match } from 'ts-pattern';
import { type Checked, type Diagnostic, type Diagnostics, fail } from '../../diagnostics/index.js';
import { builder } from '../../ir/builder.js';
import { toValueName } from '../../ir/graph.js';
import { floatType } from '../../ir/types.js';
import type { Activation } from '../../numeric/activations.js';
import { dotted } from '../containers/select.js';
import type { TensorFile } from '../containers/tensor.js';
import { chebyKan } from '../families/cheby/index.js';
import { fastKanConv, kanConv } from '../families/conv/index.js';
import { channelNorm, layerNorm } from '../families/conv/norm.js';
import { activation, conv, flatten, linear, pooling, prelu } from '../families/conv/plain.js';
import { kacnConv, kagnConv, kajnConv } from '../families/conv/polynomial.js';
import { residual, type Step, sequence } from '../families/conv/scope.js';
import type { Geometry } from '../families/conv/weights.js';
import { efficientKan } from '../families/efficient-kan.js';
import { fastKan } from '../families/fast-kan.js';
import type { Assumption, ImportOptions, Reading } from '../family.js';
import { optionsOfLayer } from '../heeded.js';
import { activationOf, assumedActivation, assumedEpsilon, EPSILON, epsilonOf } from '../options.js';
import { type Architecture, InputShape, isInputShape } from './architecture.js';
import { head } from './heads.js';
import type { Extent, LayerSpec } from './layers.js';

/** What all layers of one network share. */
interface Context {
  /** What the user says for all layers of which the file does not say it. */
  readonly options: ImportOptions;
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
}

const ASSUMED_KNOTS: Assumption = {
  what: 'the knots of spline convolutions are not stored',
  assumed: 'order 3, uniform over [-1, 1], where the layer does not say otherwise',
  option: '--arch',
};

const ASSUMED_NORMS: Assumption = {
  what: 'norms behind convolutions have no running statistics',
  assumed: 'instance norms, of the values of each sample',
  option: '--arch with "norm": "none" where there is none',
};

const convOf = (name: string, spec: ConvFields, epsilon: number) => ({
  name,
  prefix: dotted(spec.prefix),
  geometry: geometryOf(spec),
  epsilon,
  norm: spec.norm !== 'none',
});

/** Tells of a norm that is read without statistics. */
const normTold =
  ({ prefix, norm }: ConvFields, { assumed }: Context, step: Step): Step =>
  (scope, value) => {
    const statistics = ['layer_norm.0.running_mean', 'layer_norm.running_mean'];
    const has = statistics.some((name) => scope.file.tensors.has(dotted(prefix) + name));
    if (norm !== 'none' && !has) assumed([ASSUMED_NORMS]);
    return step(scope, value);
  };

/** A step that needs something which may be wrong. */
const given =
  <A>(checked: Checked<A>, step: (value: A) => Step): Step =>
  (scope, value) =>
    E.isLeft(checked) ? checked : step(checked.right)(scope, value);

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

/** Fails where a field of the layer has nothing to say about it: a base activation without a base branch. */
const heedingFields =
  (step: Step, unread: ReadonlySet<string>): Step =>
  (scope, value) => {
    const done = step(scope, value);
    const [field] = unread;
    return E.isLeft(done) || field === undefined
      ? done
      : fail('K0209', `the field ${field} has no effect on this layer`, {
          expected: 'fields about what the layer has and its tensors do not say',
        });
  };

const stepOf = (spec: LayerSpec, path: string, context: Context): Step => {
  const { options, unread } = optionsOfLayer(spec, context.options);
  return heedingFields(plainStepOf(spec, path, options, context), unread);
};

// Long: a clause for each type of layer, over what several of them ask.
const plainStepOf = (spec: LayerSpec, path: string, own: ImportOptions, context: Context): Step => {
  const name = nameOf(spec);
  const from = 'prefix' in spec && spec.prefix !== undefined ? dotted(spec.prefix) : '';
  const withEpsilon = (step: (epsilon: number) => Step): Step =>
    given(epsilonOf(own), (epsilon) => {
      context.assumed(assumedEpsilon(own));
      return step(epsilon);
    });
  const withBase = (usual: Activation, step: (activation: Activation) => Step): Step =>
    given(activationOf(own, usual), (chosen) => {
      context.assumed(assumedActivation(own, usual));
      return step(chosen);
    });
  const convolution = (s: ConvFields, step: (conv: ReturnType<typeof convOf>) => Step): Step =>
    s.norm === 'none'
      ? step(convOf(name, s, EPSILON))
      : normTold(
          s,
          context,
          withEpsilon((epsilon) => step(convOf(name, s, epsilon))),
        );
  const activated = (s: ConvFields, layer: typeof kagnConv): Step =>
    convolution(s, (c) => withBase('silu', (base) => layer({ ...c, activation: base })));
  const pool = (s: Extents & { readonly kernel?: Extent }, reduce: 'mean' | 'max'): Step =>
    pooling({
      name,
      reduce,
      padding: both(s.padding, 0),
      ...(s.kernel === undefined ? {} : { kernel: both(s.kernel, 1) }),
      ...(s.stride === undefined ? {} : { stride: both(s.stride, 1) }),
    });
  const headOf = (family: typeof efficientKan, prefix: string): Step =>
    head(family, { name, prefix, options: own }, context.assumed);
  return match(spec)
    .with({ type: 'kan-conv2d' }, (s) => {
      if (s.splineOrder === undefined || s.gridRange === undefined) context.assumed([ASSUMED_KNOTS]);
      const knots = { order: s.splineOrder ?? 3, range: s.gridRange ?? ([-1, 1] as const) };
      return convolution(s, (c) => withBase('gelu', (base) => kanConv({ ...c, ...knots, activation: base })));
    })
    .with({ type: 'fast-kan-conv2d' }, (s) => {
      const said = { radial: own, assumed: context.assumed };
      return convolution(s, (c) =>
        withBase('silu', (base) => fastKanConv({ ...c, ...said, activation: base })),
      );
    })
    .with({ type: 'kacn-conv2d' }, (s) => convolution(s, kacnConv))
    .with({ type: 'kagn-conv2d' }, (s) => activated(s, kagnConv))
    .with({ type: 'kajn-conv2d' }, (s) => activated(s, kajnConv))
    .with({ type: 'kaln-conv2d' }, () => refuseKaln)
    .with({ type: 'conv2d' }, (s) => conv(name, from, geometryOf(s)))
    .with({ type: 'linear' }, () => linear(name, from))
    .with({ type: 'batch-norm' }, () =>
      withEpsilon((epsilon) => needsStatistics(from, { name, prefixes: [from], epsilon })),
    )
    .with({ type: 'instance-norm' }, (s) =>
      withEpsilon((epsilon) =>
        channelNorm({ name, prefixes: [s.prefix === undefined ? NO_TENSORS : from], epsilon }),
      ),
    )
    .with({ type: 'layer-norm' }, (s) =>
      withEpsilon((epsilon) => layerNorm(name, s.prefix === undefined ? NO_TENSORS : from, epsilon)),
    )
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

/** Where a norm has no prefix: no tensor of a checkpoint can be named so, so that there are no weights. */
const NO_TENSORS = '\u0000';

const refuseKaln: Step = () =>
  fail('K0201', 'KALN convolutions scale their input by the least and largest value of the whole batch', {
    expected: 'layers whose result for a sample does not depend on the other samples',
    hint: 'KAJN convolutions (Jacobi polynomials), which store tensors of the same names, are "type": "kajn-conv2d"; KABN (Bernstein) is not known. Otherwise train with KAGN, KACN or KAN convolutions: they squash every value by itself.',
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
  // By what they are about: a hundred layers assume the same.
  const assumptions = new Map<string, Assumption>();
  const context: Context = {
    options,
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
