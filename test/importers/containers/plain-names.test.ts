import { describe, expect, it } from 'vitest';
import { plainNames } from '../../../src/importers/containers/plain-names.js';
import { codeOf, messageOf, rightOf } from '../../support/checked.js';

const plain = (...names: string[]): ReadonlyArray<string> => [...rightOf(plainNames(names)).values()];

describe('plain names', () => {
  it('have no wrappers of torch.compile, FSDP and activation checkpointing, wherever they stand', () => {
    expect(
      plain('_orig_mod.layers.0.w', 'layers.1._fsdp_wrapped_module._checkpoint_wrapped_module.w'),
    ).toEqual(['layers.0.w', 'layers.1.w']);
    expect(plain('_fsdp_wrapped_module._orig_mod.enc._fsdp_wrapped_module.w')).toEqual(['enc.w']);
    expect(plain('a._orig_mod')).toEqual(['a._orig_mod']);
  });

  it('have no module that is the only child of its parent', () => {
    expect(plain('module.module.w', 'module.module.b', 'n_averaged')).toEqual(['w', 'b', 'n_averaged']);
    expect(plain('enc.module.0.w', 'enc.module.1.w', 'head.w')).toEqual(['enc.0.w', 'enc.1.w', 'head.w']);
    expect(plain('module.enc.module.w', 'module.dec.module.w')).toEqual(['enc.w', 'dec.w']);
  });

  it('keep a module that has neighbours: it is one of the network', () => {
    expect(plain('module.a', 'b')).toEqual(['module.a', 'b']);
    expect(plain('enc.module.w', 'enc.scale', 'enc.module')).toEqual([
      'enc.module.w',
      'enc.scale',
      'enc.module',
    ]);
  });

  it('K0116: two of them would be the same', () => {
    const result = plainNames(['_orig_mod.a', 'a']);
    expect(codeOf(result)).toBe('K0116');
    expect(messageOf(result)).toContain('_orig_mod.a and a are both named a');
  });

  it('take no time that grows with the square of their length', () => {
    const started = performance.now();
    plainNames(['module.'.repeat(100_000), 'a.'.repeat(100_000)]);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
