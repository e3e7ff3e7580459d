import fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';
import { describe, expect, it } from 'vitest';
import { parseJson } from '../../src/ir/strict-json.js';

describe('strict JSON', () => {
  it('is what JSON.parse makes of it', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(parseJson(text)).toEqual(E.right(JSON.parse(text)));
      }),
    );
  });

  it.each([
    ['at the top', '{"a": 1, "b": 2, "a": 3}'],
    ['inside of lists and objects', '[{"x": {"a": [], "a": {}}}]'],
    ['after other objects of the same keys', '{"p": {"a": 1}, "q": {"a": 1, "b": [{"a": 1}], "a": 2}}'],
    ['written in two ways', '{"a": 1, "\\u0061": 2}'],
  ])('has no key twice: %s', (_, text) => {
    expect(parseJson(text)).toEqual(E.left('the key "a" stands twice in one object'));
  });

  it('has equal keys in different objects, and equal texts that are no keys', () => {
    const text = '{"a": {"a": ["a", "a", "\\"a\\": {"]}, "b": [{"a": "b"}, {"a": "b"}]}';
    expect(E.isRight(parseJson(text))).toBe(true);
  });

  it('nests at most 512 deep, and is JSON', () => {
    expect(E.isRight(parseJson('['.repeat(512) + ']'.repeat(512)))).toBe(true);
    expect(parseJson('['.repeat(513) + ']'.repeat(513))).toEqual(E.left('it nests more than 512 deep'));
    expect(parseJson('{')).toMatchObject({ left: expect.stringMatching(/^it is not JSON: /) });
  });
});
