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
  it.each(['', 'act', 'act=', 'act=6=7', 'weights=4', 'act=6,act=7', '__proto__=3'])('refuses %j', (text) => {
    expect(codeOf(parseQuant(text))).toBe('K0801');
  });
});
