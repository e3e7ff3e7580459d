/** Replaces every KAN layer on codes by integer tables: the recursion ends here. */
import type * as E from 'fp-ts/lib/Either.js';
import { chooseForm, edgeCost, type Form, hasBasisForm } from '../analyses/form-cost.js';
import type { Diagnostics } from '../diagnostics/index.js';
import { fail } from '../diagnostics/index.js';
import { type Rewriter, rewrite } from '../ir/builder.js';
import type { Node, ValueName } from '../ir/graph.js';
import type { Op } from '../ir/ops/index.js';
import type { KanAttrs } from '../ir/ops/kan.js';
import type { Quantizer } from '../ir/quantizer.js';
import { bytesOption, choiceOption, declareOptions } from './options.js';
import { definePass, note, type Remark, warning, withRemarks } from './pass.js';
import { tabulateBasis } from './tabulate-basis.js';
import { tabulateEdge } from './tabulate-edge.js';

const { codec, help } = declareOptions({
  form: choiceOption('edge tables, basis tables, or per layer by cost', ['auto', 'edge', 'basis']),
  budget: bytesOption('bytes of tables a layer may take before form=auto turns to the smaller form', '64MiB'),
  scale: choiceOption('one scale of table entries for each output or one for all', ['output', 'tensor']),
  cells: choiceOption(
    'an entry is the mean of the function over the calibration values of its cell, or its value at the decoded code',
    ['mean', 'value'],
  ),
});

export interface TabulateOptions {
  readonly form: 'auto' | Form;
  readonly budget: number;
  readonly scale: 'output' | 'tensor';
  readonly cells: 'mean' | 'value';
}

/** What a layer is tabulated from: the layer, the codes it reads, and the nodes that made them. */
export interface LayerSite {
  readonly layer: KanAttrs;
  readonly inputs: number;
  readonly outputs: number;
  readonly quantizer: Quantizer;
  readonly decode: Node;
  readonly codes: ValueName;
  /** The calibration statistics of the value that was quantized. */
  readonly observed: Node | undefined;
}

export const tabulate = definePass<'quantized', 'table', TabulateOptions>({
  name: 'tabulate',
  summary: 'replaces KAN layers by integer tables: edge tables (one add per edge) or basis tables',
  options: codec,
  help,
  from: 'quantized',
  to: 'table',
  run: (options) => (graph) => {
    const remarks: Remark[] = [];
    let failure: E.Either<Diagnostics, never> | undefined;
    const result = rewrite<'table'>(graph, 'table', (node, r) => {
      if (node.op.kind !== 'kan') return r.keep(node);
      const site = siteOf(node, node.op.attrs, r);
      if (site === undefined) {
        failure ??= fail('K0505', 'the layer does not read decoded codes', {
          place: { pass: 'tabulate', op: node.name },
          hint: 'Run quantize before tabulate, and calibrate before quantize.',
        });
        return r.of(node.operands[0]!);
      }
      const { op, said } = tabulateLayer(site, options);
      for (const remark of said) remarks.push({ ...remark, op: node.name });
      const acc = r.add(`${node.name}_acc`, op, [site.codes]);
      return r.add(node.name, { kind: 'dequantize', attrs: {} }, [acc]);
    });
    return failure ?? withRemarks(result, remarks);
  },
});

/** Recognises kan(decode(quantize(observe x))), in the names of the new graph. */
const siteOf = (node: Node, layer: KanAttrs, r: Rewriter<'table'>): LayerSite | undefined => {
  const decode = r.nodeOf(r.of(node.operands[0]!));
  if (decode?.op.kind !== 'decode') return undefined;
  const codes = decode.operands[0]!;
  const quantizer = r.typeOf(codes).meaning;
  if (quantizer === undefined || quantizer._tag === 'scaled') return undefined;
  const quantize = r.nodeOf(codes);
  const before = quantize === undefined ? undefined : r.nodeOf(quantize.operands[0]!);
  const [inputs, , outputs] = layer.branches[0]!.weights.shape;
  return {
    layer,
    inputs: inputs!,
    outputs: outputs!,
    quantizer,
    decode,
    codes,
    observed: before?.op.kind === 'observe' ? before : undefined,
  };
};

const tabulateLayer = (
  site: LayerSite,
  options: TabulateOptions,
): { op: Op; said: ReadonlyArray<Remark> } => {
  const { levels } = site.quantizer;
  const wanted = options.form === 'auto' ? chooseForm(site.layer, levels, options.budget) : options.form;
  if (wanted === 'basis' && hasBasisForm(site.layer)) {
    const { attrs, basisBits } = tabulateBasis(site);
    const asked = site.layer.precision?.basis ?? basisBits;
    const said = [note(`basis table, range [${attrs.lo}, ${attrs.hi}]`)];
    return {
      op: { kind: 'table.basis', attrs },
      said:
        basisBits === asked
          ? said
          : [
              warning(`basis values have ${basisBits} bits instead of ${asked}: more would overflow i32`),
              ...said,
            ],
    };
  }
  const attrs = tabulateEdge(site, options);
  const said = [
    note(
      `edge table of ${edgeCost(site.layer, levels).bytes} bytes, range [${attrs.lo}, ${attrs.hi}] in i${attrs.acc}`,
    ),
  ];
  return {
    op: { kind: 'table.edge', attrs },
    said:
      wanted === 'basis'
        ? [warning('edge table: the basis form needs exactly one B-spline branch'), ...said]
        : said,
  };
};
