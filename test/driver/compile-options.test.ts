import { describe, expect, it } from 'vitest';
import { compilePipeline, parseQuant } from '../../src/driver/compile-options.js';
import { codeOf, messageOf, rightOf } from '../support/checked.js';

describe('compilePipeline', () => {
  it('is the default pipeline without options', () => {
    expect(rightOf(compilePipeline({}))).toBe('calibrate,quantize,tabulate,fold,prune,dedupe,narrow,dce');
  });

  it('hands every option to the pass that it is for', () => {
    const text = rightOf(
      compilePipeline({
        inputDtype: 'u8',
        inputMean: 0.5,
        inputStd: 0.25,
        calib: 'my data.npy',
        quant: { act: '6', table: 8 },
        form: 'basis',
        outOfRange: 'extend',
        nan: 'refuse',
        budgetMem: '4MB',
      }),
    );
    expect(text).toBe(
      'input{dtype=u8,mean=0.5,std=0.25},calibrate{data="my data.npy"},' +
        'quantize{act=6,table=8,budget=4MB,range=extend,align=knots,nan=refuse},' +
        'tabulate{form=basis,budget=4MB},fold,prune,dedupe,narrow,dce',
    );
  });

  it('hands options of single layers to the passes that they are for', () => {
    const text = rightOf(
      compilePipeline({
        quant: {
          act: 6,
          'layer0.act': '4',
          'b.*.form': 'basis',
          'b.1.form': 'edge',
          'layer1.quantizer': 'lloyd',
        },
        calib: 'c.npy',
        ranges: 'mse',
        quantizer: 'uniform',
      }),
    );
    expect(text).toBe(
      'calibrate{data=c.npy},quantize{act=6,ranges=mse,quantizer=uniform,' +
        'layers="layer0.act=4 b.*.align=knots b.1.align=free layer1.quantizer=lloyd"},' +
        'tabulate{data=c.npy,layers="b.*.form=basis b.1.form=edge"},fold,prune,dedupe,narrow,dce',
    );
  });

  it('leaves the codes of basis tables free where that is asked for', () => {
    const quantize = (quant: Record<string, string>, form?: 'basis'): string =>
      /quantize\{[^}]*\}/.exec(rightOf(compilePipeline({ quant, ...(form && { form }), calib: 'c' })))?.[0] ??
      '';
    expect(quantize({ act: '6' }, 'basis')).toBe('quantize{act=6,align=knots}');
    expect(quantize({ act: '6', align: 'free' }, 'basis')).toBe('quantize{act=6,align=free}');
    expect(quantize({ 'layer1.form': 'basis', 'layer1.align': 'free' })).toBe(
      'quantize{layers="layer1.align=free"}',
    );
  });

  it('refits where a layer has coarse tables of its own, of bits that its form uses', () => {
    const tabulate = (quant: Record<string, string>): string =>
      /tabulate[^,]*/.exec(rightOf(compilePipeline({ quant, calib: 'c.npy' })))?.[0] ?? '';
    expect(tabulate({ table: '8', 'layer1.table': '3' })).toContain('c.npy');
    expect(tabulate({ table: '8', 'layer1.table': '5' })).not.toContain('c.npy');
    expect(tabulate({ coef: '4' })).toContain('c.npy');
    expect(tabulate({ coef: '4', 'layer1.form': 'edge', 'layer1.coef': '4' })).toContain('c.npy');
    expect(tabulate({ 'layer1.form': 'edge', 'layer1.coef': '4' })).not.toContain('c.npy');
    expect(tabulate({ 'layer1.form': 'basis', 'layer1.table': '3' })).not.toContain('c.npy');
  });

  it.each([
    [{ 'layer0.act': '17' }, "'layer0.act=17' is not possible", 'an integer from 1 to 16 for act'],
    [{ 'layer0.form': 'round' }, "'layer0.form=round' is not possible", 'one of auto, edge, basis for form'],
    [{ 'layer0.hidden': '4' }, "'layer0.hidden=4' is not possible", 'one of act'],
    [{ act: '17' }, "'act=17' is not possible", 'auto or an integer from 1 to 16'],
  ])('refuses %j', (quant, said, expected) => {
    const message = messageOf(compilePipeline({ quant }));
    expect(message).toContain(said);
    expect(message).toContain(expected);
  });

  it('takes --passes as they are, and no options that would have no effect', () => {
    expect(rightOf(compilePipeline({ passes: 'dce' }))).toBe('dce');
    expect(messageOf(compilePipeline({ passes: 'dce', nan: 'zero', inputMean: 0 }))).toContain(
      '--nan, --input-mean would have no effect',
    );
  });
});

describe('parseQuant', () => {
  it('reads bits by name', () => {
    expect(rightOf(parseQuant('act=6, hidden=auto'))).toEqual({ act: '6', hidden: 'auto' });
  });
  it('reads what is set of single layers, by their last dot', () => {
    expect(rightOf(parseQuant('act=6,b.0.conv.act=4,*.form=basis'))).toEqual({
      act: '6',
      'b.0.conv.act': '4',
      '*.form': 'basis',
    });
  });
  it.each([
    'layer0.weights=4',
    'layer0.hidden=4',
    'layer0.=4',
    '.act=4',
    'lay er0.act=4',
    'layer0.act=4 5',
    'layer0.act=4,layer0.act=5',
  ])('refuses %j of a layer', (text) => {
    expect(codeOf(parseQuant(text))).toBe('K0801');
  });
  it.each(['', 'act', 'act=', 'act=6=7', 'weights=4', 'act=6,act=7', '__proto__=3'])('refuses %j', (text) => {
    expect(codeOf(parseQuant(text))).toBe('K0801');
  });
});
