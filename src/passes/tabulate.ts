/** Replaces everything that reads codes by integer tables: the recursion ends here. */
import * as E from 'fp-ts/lib/Either.js';
import { chooseForm, edgeCost, type Form, hasBasisForm } from '../analyses/form-cost.js';
import { at, type Checked, type Diagnostics, fail } from '../diagnostics/index.js';
import { type Rewriter, rewrite } from '../ir/builder.js';
import { constant } from '../ir/constant.js';
import { F32 } from '../ir/element.js';
import type { Graph, Node, ValueName } from '../ir/graph.js';
import type { Op, OpOf } from '../ir/ops/index.js';
import type { KanAttrs } from '../ir/ops/kan.js';
import { productScales } from '../ir/ops/multiply.js';
import { type NormAttrs, normGroup } from '../ir/ops/norm.js';
import type { ObserveAttrs } from '../ir/ops/observe.js';
import { innerOf } from '../ir/types.js';
import { type Coded, resolveCoded } from './coded.js';
import { finite } from './finite-scale.js';
import { integersFit } from './integer-limits.js';
import { checkLayers, type LayerSettings, layersOption, settingOf } from './layer-settings.js';
import { type LayerSite, siteOf } from './layer-site.js';
import {
  autoIntegerOption,
  autoNumberOption,
  bytesOption,
  choiceOption,
  declareOptions,
  textOption,
} from './options.js';
import { definePass, note, type Remark, warning, withRemarks } from './pass.js';
import { type Evidence, type RefitOptions, refitOn } from './refit.js';
import { tabulateBasis } from './tabulate-basis.js';
import { tabulateEdge } from './tabulate-edge.js';
import { type PendingNorm, tabulateNorm } from './tabulate-norm.js';
import { FACTORS, normed, POOLED, type SumChoice, tabulateSum, WIDE } from './tabulate-sum.js';

const FORM = choiceOption('edge tables, basis tables, or per layer by cost', ['auto', 'edge', 'basis']);

const { codec, help } = declareOptions({
  form: FORM,
  budget: bytesOption('bytes of tables a layer may take before form=auto turns to the smaller form', '64MiB'),
  scale: choiceOption('one scale of table entries for each output or one for all', ['output', 'tensor']),
  coefScale: choiceOption('one scale of coefficients for each output or one for all', ['output', 'tensor']),
  cells: choiceOption(
    'an entry is the mean of the function over the calibration values of its cell, or its value at the decoded code',
    ['mean', 'value'],
  ),
  data: textOption(
    '.npy file with inputs; with it tables are refit: corrected together, layer by layer, so that outputs come close to those of the float network',
  ),
  refit: choiceOption('what a refit corrects: tables and biases, or biases alone', ['full', 'bias']),
  samples: autoIntegerOption('samples to refit on; auto: 2048, fewer for large networks', 1, 16384),
  ridge: autoNumberOption(
    'how much a change of entries costs in a refit, against errors of outputs; auto: what is best on samples that are held out, no refit included',
    1e-6,
    1e30,
  ),
  layers: layersOption('options of single layers', { form: FORM }),
});

export interface TabulateOptions extends RefitOptions {
  readonly data: string;
  readonly form: 'auto' | Form;
  readonly budget: number;
  readonly scale: 'output' | 'tensor';
  readonly coefScale: 'output' | 'tensor';
  readonly cells: 'mean' | 'value';
  readonly layers: LayerSettings;
}

/** The form that is wanted of a layer; a layer that has no basis form gets edge tables all the same. */
export const wantedForm = (
  { form, layers, budget }: Pick<TabulateOptions, 'form' | 'layers' | 'budget'>,
  name: string,
  layer: KanAttrs,
  inputs: number,
  levels: number,
  positions: number,
): Form => {
  const asked = settingOf(layers, name, 'form', FORM) ?? form;
  return asked === 'auto' ? chooseForm(layer, inputs, levels, budget, positions) : asked;
};

export const tabulate = definePass<'quantized', 'table', TabulateOptions>({
  name: 'tabulate',
  summary: 'replaces layers, sums, norms and whatever reads codes by integer tables',
  options: codec,
  help,
  files: ({ data }) => (data === '' ? [] : [data]),
  from: 'quantized',
  to: 'table',
  run: (options, context) => (graph) => {
    const known = checkLayers(options.layers, graph, 'tabulate');
    if (E.isLeft(known)) return known;
    const dataset = context.dataset(options.data);
    if (options.data !== '' && dataset === undefined) {
      return fail('K0505', `the data '${options.data}' was not loaded`, { place: { pass: 'tabulate' } });
    }
    const refit = options.data === '' || dataset === undefined ? undefined : refitOn(graph, dataset, options);
    if (refit !== undefined && E.isLeft(refit)) return refit;
    const remarks: Remark[] = [];
    let failure: E.Either<Diagnostics, never> | undefined;
    // An op before was refused by its type rule, and what follows lacks its value: the rewritten graph tells why.
    let isLost = false;
    const statistics = new Map<ValueName, ObserveAttrs>();
    const norms = new Map<ValueName, PendingNorm>();
    const outputs = new Set(graph.outputs);
    const inputs = new Set(graph.inputs.map(({ name }) => name));
    const result = rewrite<'table'>(graph, 'table', (node, r) => {
      const coded = (k: number): Coded => {
        const value = resolveCoded(r.of(node.operands[k]!), r, statistics);
        if (value !== undefined) return value;
        const operand = r.of(node.operands[k]!);
        if (r.nodeOf(operand) !== undefined || inputs.has(operand)) failure ??= notCoded(node);
        else isLost = true;
        return NOT_CODED(operand);
      };
      /** Adds an op that reads integers, whose range can be too large for it. */
      const added = (hint: string, op: Op, operands: ReadonlyArray<ValueName>): ValueName => {
        const types = operands.flatMap((name) => r.nodeOf(name)?.type ?? []);
        const fits = at({ pass: 'tabulate', op: node.name })(integersFit(op, types));
        if (types.length === operands.length && E.isLeft(fits)) failure ??= fits;
        return r.add(hint, op, operands);
      };
      const dequantized = (op: Op, operands: ReadonlyArray<ValueName>): ValueName => {
        const acc = added(`${node.name}_acc`, op, operands);
        return r.add(node.name, { kind: 'dequantize', attrs: {} }, [acc]);
      };
      const sumOf = (parts: ReadonlyArray<Coded>, sums: SumChoice): OpOf<'table.sum'> => {
        const attrs = tabulateSum(parts, sums);
        const sound = at({ pass: 'tabulate', op: node.name })(finite(attrs.scale, undefined));
        if (E.isLeft(sound)) failure ??= sound;
        return { kind: 'table.sum', attrs };
      };
      /** The operand as accumulators: a table for every channel. */
      const summed = (sums: SumChoice): ValueName => {
        const value = coded(0);
        return r.add(`${node.name}_sum`, sumOf([value], sums), [value.codes]);
      };
      const { op } = node;
      // What follows a failure would fail for want of a value.
      if (failure !== undefined || isLost) return r.of(node.operands[0]!);
      switch (op.kind) {
        case 'kan': {
          const value = coded(0);
          if (failure !== undefined || isLost) return value.codes;
          const made = at({ pass: 'tabulate', op: node.name })(
            tabulateLayer(
              siteOf(op.attrs, value),
              node.name,
              innerOf(node.type),
              options,
              refit === undefined
                ? undefined
                : () => refit.right.evidenceFor(node.name, op.attrs.window, value.codes, r),
            ),
          );
          if (E.isLeft(made)) {
            failure ??= made;
            return value.codes;
          }
          const layer = made.right;
          for (const remark of layer.said) remarks.push({ ...remark, op: node.name });
          return dequantized(layer.op, [value.codes]);
        }
        case 'add': {
          const parts = [coded(0), coded(1)];
          return dequantized(
            sumOf(parts, WIDE),
            parts.map((p) => p.codes),
          );
        }
        case 'pool':
          return dequantized(op, [summed(POOLED)]);
        case 'multiply': {
          const value = coded(0);
          if (failure !== undefined || isLost) return value.codes;
          const sum = sumOf([value], FACTORS);
          const scales = productScales(op.attrs, sum.attrs.scale, value.channels.length);
          const sound = at({ pass: 'tabulate', op: node.name })(
            finite(constant(F32, [scales.length], scales), undefined),
          );
          if (E.isLeft(sound)) failure ??= sound;
          return dequantized(op, [r.add(`${node.name}_sum`, sum, [value.codes])]);
        }
        case 'norm':
          // Made where its quantizer is known: its place is taken by the accumulators that it reads.
          return keepNorm(
            norms,
            summed(normed(op.attrs.over, op.attrs.epsilon, normGroup(op.attrs.over, node.type.shape))),
            op.attrs,
            r,
          );
        case 'observe':
          return norms.has(r.of(node.operands[0]!)) ? r.of(node.operands[0]!) : r.keep(node);
        case 'quantize': {
          const operand = r.of(node.operands[0]!);
          const norm = norms.get(operand);
          const codes =
            norm === undefined
              ? r.keep(node)
              : added(node.name, { kind: 'table.norm', attrs: tabulateNorm(norm, op.attrs) }, [operand]);
          const observed = definitionIn(graph, node.operands[0]!);
          if (observed?.op.kind === 'observe') statistics.set(codes, observed.op.attrs);
          return codes;
        }
        default: {
          const kept = r.keep(node);
          // A result that is codes with something univariate behind them.
          const value = outputs.has(node.name) ? resolveCoded(kept, r, statistics) : undefined;
          return value === undefined ? kept : dequantized(sumOf([value], WIDE), [value.codes]);
        }
      }
    });
    return failure ?? withRemarks(result, remarks);
  },
});

const definitionIn = (graph: Graph, name: ValueName): Node | undefined =>
  graph.nodes.find((node) => node.name === name);

const notCoded = (node: Node): E.Either<Diagnostics, never> =>
  fail('K0505', `${node.op.kind} does not read decoded codes`, {
    place: { pass: 'tabulate', op: node.name },
    hint: 'Run quantize before tabulate, and calibrate before quantize.',
  });

/** Stands in after a failure, so that the walk can end. */
const NOT_CODED = (codes: ValueName): Coded => ({ codes, levels: 2, channels: [] });

const keepNorm = (
  norms: Map<ValueName, PendingNorm>,
  acc: ValueName,
  attrs: NormAttrs,
  r: Rewriter<'table'>,
): ValueName => {
  // A sum whose type rule refused it is in no graph: the builder tells why.
  const sum = r.nodeOf(acc);
  if (sum !== undefined) norms.set(acc, { attrs, type: sum.type });
  return acc;
};

const NOT_REFIT = note(
  'not refit: the data has too few samples, or the network is too large to run on enough of them (samples=... runs it on as many as you say)',
);

const NO_BASIS_FORM = 'the basis form needs one B-spline branch and at most one base branch';
const TOO_WIDE = 'sums of the basis form need more than 32 bits; coefficients of fewer bits fit';

interface Tabulated {
  readonly op: Op;
  readonly said: ReadonlyArray<Remark>;
}

const tabulateLayer = (
  site: LayerSite,
  name: ValueName,
  /** Windows of a sample; 1 for layers of features. */
  positions: number,
  options: TabulateOptions,
  /** Absent when nothing is to be refit. */
  evidenceOf: (() => Evidence | undefined) | undefined,
): Checked<Tabulated> => {
  const { levels } = site.coded;
  const wanted = wantedForm(options, name, site.layer, site.inputs, levels, positions);
  const evidence = evidenceOf?.();
  const unrefit = evidenceOf === undefined || evidence !== undefined ? [] : [NOT_REFIT];
  const hasForm = hasBasisForm(site.layer);
  const tables = wanted === 'basis' && hasForm ? tabulateBasis(site, options.coefScale, evidence) : undefined;
  if (tables !== undefined) {
    const { attrs, basisBits, said: told } = tables;
    const asked = site.layer.precision?.basis ?? basisBits;
    const said = [...told, ...unrefit, note(`basis table, range [${attrs.lo}, ${attrs.hi}]`)];
    const fewer = `basis values have ${basisBits} bits instead of ${asked}: more would overflow accumulators or the table of the base branch`;
    return finite(attrs.scale, {
      op: { kind: 'table.basis', attrs },
      said: basisBits === asked ? said : [warning(fewer), ...said],
    });
  }
  const table = tabulateEdge(site, options, evidence);
  if (table === undefined) {
    return fail(
      'K0402',
      `${site.inputs} inputs of ${site.layer.precision?.table ?? 8}-bit tables need accumulators of more than 32 bits`,
      {
        hint: 'Tables of fewer bits fit: --quant table=8.',
      },
    );
  }
  const { attrs } = table;
  const { bytes } = edgeCost(site.layer, site.inputs, levels);
  const said = [
    ...table.said,
    ...unrefit,
    note(`edge table of ${bytes} bytes, range [${attrs.lo}, ${attrs.hi}] in i${attrs.acc}`),
  ];
  return finite(attrs.scale, {
    op: { kind: 'table.edge', attrs },
    said: wanted === 'basis' ? [warning(`edge table: ${hasForm ? TOO_WIDE : NO_BASIS_FORM}`), ...said] : said,
  });
};
