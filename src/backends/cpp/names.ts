/** Names from checkpoints and people as identifiers of C and C++. Nothing else of them reaches code. */

import * as t from 'io-ts';

/** Words of C99 and C++17, what standard headers may define as macros, and names that generated code and files use. */
const RESERVED: ReadonlySet<string> = new Set(
  `alignas alignof and and_eq asm auto bitand bitor bool break case catch char class compl const const_cast
constexpr continue decltype default delete do double dynamic_cast else enum explicit export extern false float for
friend goto if inline int int8_t int16_t int32_t int64_t long main mutable namespace new noexcept not not_eq nullptr
operator or or_eq private protected public register reinterpret_cast restrict return short signed sizeof static
static_assert static_cast std struct switch template this thread_local throw true try typedef typeid typename uint8_t
uint16_t uint32_t uint64_t union unsigned using virtual void volatile wchar_t while xor xor_eq linux unix hls
_bool _complex _imaginary null eof stdin stdout stderr testbench golden core host x y defines parameters ap_int ap_uint
hls_stream result read_input write_result input_word output_word result_t given
trace kanc_hls kanc_ap_int size_t ptrdiff_t assert complex ctype errno fenv float inttypes iso646 limits locale math
setjmp signal stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads time uchar
wchar wctype memory algorithm array vector iostream fstream`.split(/\s+/),
);

/** Names that generated code has for its values, types and stages. */
const GENERATED = /^[vs]\d+(_.*)?$/;

const LONGEST = 40;

/** What manifests may name code by: what is read from a file becomes part of commands. */
export const Identifier = t.refinement(t.string, (s) => /^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(s), 'identifier');

/**
 * An identifier for a name that may hold anything: letters, digits and single underscores, beginning with a letter,
 * at most 40 characters, no reserved word; `fallback` where nothing is left.
 */
export const identifier = (name: string, fallback: string): string => {
  const safe = name
    .normalize('NFKD')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, LONGEST)
    .replace(/_+$/, '');
  if (safe === '') return fallback;
  const begun = /^[0-9]/.test(safe) ? `${fallback}_${safe}`.slice(0, LONGEST) : safe;
  return RESERVED.has(begun.toLowerCase()) || GENERATED.test(begun) ? `${begun}_${fallback}` : begun;
};
