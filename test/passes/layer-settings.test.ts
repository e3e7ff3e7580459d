/** Options of single layers: what is read, whom it means, and what is refused. */
import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { showDiagnostic } from '../../src/diagnostics/index.js';
import { builder, floatType, type Graph } from '../../src/ir/index.js';
import { BUILTIN_PASSES, bindPipelineText, runPipeline } from '../../src/passes/index.js';
import { layersOption, settingOf } from '../../src/passes/layer-settings.js';
import { choiceOption, integerOption } from '../../src/passes/options.js';
import { rightOf } from '../support/checked.js';
import { calibrationOf, compiled, contextOf, nodesOf, onlyOf, randomKan, runText } from './support.js';

const bits = integerOption('bits', 1, 16, 8);
const option = layersOption('settings', { act: bits, form: choiceOption('form', ['auto', 'edge']) });
const parsed = (text: string) => {
  const read = option.parse(text);
  if (E.isLeft(read)) throw new Error(read.left);
  return read.right;
};

describe('the text', () => {
  it('sets knobs of layers, whose names may hold dots', () => {
    const settings = parsed('  layer0.act=4   block.1.conv.form=edge ');
    expect(settingOf(settings, 'layer0', 'act', bits)).toBe(4);
    expect(settingOf(settings, 'layer0', 'form', bits)).toBeUndefined();
    expect(settingOf(settings, 'layer1', 'act', bits)).toBeUndefined();
    expect(parsed('')).toEqual([]);
  });

  it('means many layers by stars; of two settings the later holds', () => {
    const settings = parsed('*.act=8 conv1.*.act=5 conv1.*.b*.act=3 a*a.act=2');
    const of = (name: string): number | undefined => settingOf(settings, name, 'act', bits);
    expect(of('layer0')).toBe(8);
    expect(of('conv1.0')).toBe(5);
    expect(of('conv1.0.bn')).toBe(3);
    expect(of('conv1.bn')).toBe(5);
    // The letters of a pattern do not overlap.
    expect(of('a')).toBe(8);
    expect(of('aa')).toBe(2);
  });

  it.each([
    ['layer0', 'form layer.name=value'],
    ['layer0.act', 'form layer.name=value'],
    ['layer0=4', 'form layer.name=value'],
    ['layer0.act=4,layer1.act=4', 'an integer from 1 to 16 for act'],
    ['layer0.act=99', 'an integer from 1 to 16 for act'],
    ['layer0.act=auto', 'an integer from 1 to 16 for act'],
    ['layer0.form=round', 'one of auto, edge for form'],
    ['layer0.weights=4', 'one of act, form behind the last dot'],
    ['layer0.constructor=4', 'one of act, form behind the last dot'],
    ['layer0.act=4 layer0.act=5', 'layer0.act once'],
    ['la yer0.act=4', 'form layer.name=value'],
  ])('refuses %j', (text, expected) => {
    const read = option.parse(text);
    expect(E.isLeft(read) ? read.left : '').toContain(expected);
  });

  it('reads patterns of many stars quickly', () => {
    const settings = parsed(`${'*a'.repeat(40)}.act=4`);
    const start = performance.now();
    expect(settingOf(settings, 'b'.repeat(5000), 'act', bits)).toBeUndefined();
    expect(performance.now() - start).toBeLessThan(100);
  });
});

const data = calibrationOf(3, 11);
const net = randomKan(1, { layers: [3, 4, 4, 2] });

/** What a pipeline says when it fails. */
const faultOf = (text: string, graph: Graph = net): string => {
  const pipeline = bindPipelineText(text, BUILTIN_PASSES, graph.level);
  const ran = E.isLeft(pipeline)
    ? pipeline
    : runPipeline(pipeline.right, graph, { context: contextOf(data), verifyEach: true });
  return E.isLeft(ran) ? ran.left.map(showDiagnostic).join('\n') : '';
};

describe('quantize', () => {
  const codesOf = (options: string) =>
    nodesOf(compiled(net, `calibrate{data=x},quantize{${options}}`, data), 'quantize').map(
      (n) => n.op.attrs.bits,
    );

  it('gives layers their own bits', () => {
    expect(codesOf('act=6,layers="layer0.act=4 layer2.act=3"')).toEqual([4, 6, 3]);
    expect(codesOf('act=6,hidden=5,layers="*.act=2 layer1.act=7"')).toEqual([2, 7, 2]);
    const graph = compiled(
      net,
      'calibrate{data=x},quantize{table=7,layers="layer0.table=3 layer1.coef=5 layer*.basis=2"}',
      data,
    );
    expect(nodesOf(graph, 'kan').map((n) => n.op.attrs.precision)).toEqual([
      { table: 3, coef: 8, basis: 2 },
      { table: 7, coef: 5, basis: 2 },
      { table: 7, coef: 8, basis: 2 },
    ]);
  });

  it('counts the bytes of own table bits where activations are chosen by a budget', () => {
    // 3 * 4 edges of 2 bytes: 3072 bytes at 7 bits.
    expect(codesOf('budget=3072B,layers="layer0.table=9"')).toEqual([7, 7, 8]);
  });

  it('aligns codes for the layers that want it', () => {
    const graph = compiled(
      net,
      'calibrate{data=x},quantize{act=6,layers="layer0.align=knots layer2.align=knots"}',
      data,
    );
    const withMeans = nodesOf(graph, 'decode').map((n) => n.op.attrs.values !== undefined);
    expect(withMeans).toEqual([false, true, false]);
    const other = compiled(
      net,
      'calibrate{data=x},quantize{act=6,align=knots,layers="layer1.align=free"}',
      data,
    );
    expect(nodesOf(other, 'decode').map((n) => n.op.attrs.values !== undefined)).toEqual([
      false,
      true,
      false,
    ]);
  });

  it('names the layers there are, and the one that was probably meant', () => {
    const said = faultOf('calibrate{data=x},quantize{layers="layr1.act=4"}');
    expect(said).toContain('K0503');
    expect(said).toContain("'layr1'");
    expect(said).toContain('one of layer0, layer1, layer2');
    expect(said).toContain("Did you mean 'layer1'?");
    expect(faultOf('quantize{layers="block*.act=4"}')).toContain('no layer is named so');
    expect(faultOf('quantize{layers="layer0.act=17"}')).toContain('an integer from 1 to 16 for act');
  });
});

describe('layers that read one value', () => {
  /** Two layers read the input. */
  const forked = (): Graph<'float'> => {
    const b = builder('forked', 'float');
    const x = b.input('x', floatType([3]));
    const [left, right] = [2, 3].map((seed) => onlyOf(randomKan(seed, { layers: [3, 2] }), 'kan').op);
    return rightOf(b.build([b.add('layer0', left!, [x]), b.add('layer1', right!, [x])]));
  };

  it('get the most bits that one of them wants, and a note says so', () => {
    const graph = forked();
    const { graph: done, remarks } = runText(
      graph,
      'calibrate{data=x},quantize{act=6,layers="layer0.act=3 layer1.act=5"}',
      data,
    );
    expect(nodesOf(done, 'quantize').map((n) => n.op.attrs.bits)).toEqual([5]);
    expect(remarks.join('\n')).toContain('layer0 was to read codes of 3 bits');
    const alone = compiled(graph, 'calibrate{data=x},quantize{act=6,layers="layer0.act=3"}', data);
    expect(nodesOf(alone, 'quantize').map((n) => n.op.attrs.bits)).toEqual([6]);
  });
});

describe('tabulate', () => {
  it('gives layers their own form', () => {
    const kindsOf = (options: string) =>
      compiled(net, `calibrate{data=x},quantize,tabulate{${options}}`, data)
        .nodes.map((n) => n.op.kind)
        .filter((kind) => kind.startsWith('table'));
    expect(kindsOf('form=edge,layers="layer1.form=basis"')).toEqual([
      'table.edge',
      'table.basis',
      'table.edge',
    ]);
    expect(kindsOf('form=basis,layers="layer*.form=edge layer0.form=basis"')).toEqual([
      'table.basis',
      'table.edge',
      'table.edge',
    ]);
  });

  it('refuses other layers and other forms', () => {
    expect(faultOf('calibrate{data=x},quantize,tabulate{layers="layer9.form=edge"}')).toMatch(
      /K0503.*pass tabulate.*layer9/,
    );
    expect(faultOf('calibrate{data=x},quantize,tabulate{layers="layer0.form=round"}')).toContain(
      'one of auto, edge, basis for form',
    );
  });

  it('takes one scale of coefficients for all outputs on request', () => {
    const scaleOf = (options: string) => {
      const graph = compiled(net, `calibrate{data=x},quantize,tabulate{form=basis${options}}`, data);
      return nodesOf(graph, 'table.basis').map((n) => typeof n.op.attrs.scale);
    };
    expect(scaleOf('')).toEqual(['object', 'object', 'object']);
    expect(scaleOf(',coefScale=tensor')).toEqual(['number', 'number', 'number']);
  });
});
