/** Functions that kernels share, in WGSL. A module has those that it uses. */
import type { LibraryName, Text } from './kernel.js';

/**
 * Starts the end of a module, which the loader replaces by the comment on its first line where the implementation has
 * the language feature packed_4x8_integer_dot_product.
 */
export const DOT4_MARK = '// ---- without packed_4x8_integer_dot_product ----';

const SOURCES: Readonly<Record<Exclude<LibraryName, 'dot4'>, Text>> = {
  countAtMost: `
// How many of count ascending integers from constants[first] on are <= key: a code, by the definition of quantizers.
fn count_at_most(first: u32, count: u32, key: i32) -> i32 {
  var low = first;
  var left = count;
  while (left > 0u) {
    let half = left / 2u;
    if (bitcast<i32>(constants[low + half]) <= key) {
      low += half + 1u;
      left -= half + 1u;
    } else {
      left = half;
    }
  }
  return bitcast<i32>(low - first);
}`,
  floatOrder: `
// Floats by their bits: integers in the same order. 0 and -0 are both -1 here; a NaN comes before all.
fn float_order(bits: u32) -> i32 {
  let magnitude = bitcast<i32>(bits & 0x7fffffffu);
  if (magnitude > 0x7f800000i) { return bitcast<i32>(0x80000000u); }
  if (magnitude == 0i) { return -1i; }
  return select(magnitude, -1i - magnitude, (bits >> 31u) == 1u);
}`,
  entry8: `
// Entry k of a list of bytes.
fn entry8(first: u32, k: u32) -> u32 {
  return extractBits(constants[first + (k >> 2u)], 8u * (k & 3u), 8u);
}
fn signed8(first: u32, k: u32) -> i32 {
  return extractBits(bitcast<i32>(constants[first + (k >> 2u)]), 8u * (k & 3u), 8u);
}`,
  entry16: `
// Entry k of a list of 16-bit integers.
fn entry16(first: u32, k: u32) -> u32 {
  return extractBits(constants[first + (k >> 1u)], 16u * (k & 1u), 16u);
}
fn signed16(first: u32, k: u32) -> i32 {
  return extractBits(bitcast<i32>(constants[first + (k >> 1u)]), 16u * (k & 1u), 16u);
}`,
  timesScale: `
// The bits of f32(f32(acc) * scale), both roundings to nearest, ties to even, denormals kept: in integers, because
// WGSL leaves rounding and denormals to the implementation. The scale is the bits of a finite f32.
fn times_scale(acc: i32, scale: u32) -> u32 {
  let sign = (scale ^ bitcast<u32>(acc)) & 0x80000000u;
  var field = i32((scale >> 23u) & 0xffu);
  var factor = scale & 0x7fffffu;
  if (acc == 0i || (field == 0i && factor == 0u)) { return sign; }
  // acc = m * 2^(e - 23), rounded to m of 24 bits.
  let size = bitcast<u32>(select(acc, -acc, acc < 0i));
  var e = i32(firstLeadingBit(size));
  var m = 0u;
  if (e <= 23i) {
    m = size << u32(23i - e);
  } else {
    m = rounded(size >> u32(e - 23i), size & ((1u << u32(e - 23i)) - 1u), 1u << u32(e - 24i), false);
    if (m == 0x1000000u) {
      m = 0x800000u;
      e += 1i;
    }
  }
  // scale = factor * 2^(field - 150), with a factor of 24 bits.
  if (field == 0i) {
    let up = 23u - firstLeadingBit(factor);
    factor = factor << up;
    field = 1i - i32(up);
  } else {
    factor |= 0x800000u;
  }
  // The product: high * 2^24 + low, of 47 or 48 bits.
  let cross = (m >> 12u) * (factor & 0xfffu) + (m & 0xfffu) * (factor >> 12u);
  let below = (m & 0xfffu) * (factor & 0xfffu) + ((cross & 0xfffu) << 12u);
  let high = (m >> 12u) * (factor >> 12u) + (cross >> 12u) + (below >> 24u);
  let low = below & 0xffffffu;
  // What is kept: 24 bits, fewer for denormals; place is the biased exponent of the first bit.
  let top = select(0i, 1i, high >= 0x800000u);
  let place = field + e + top;
  if (place >= 255i) { return sign | 0x7f800000u; }
  let drop = 23i + top + select(0i, 1i - place, place < 1i);
  if (drop > 48i) { return sign; }
  var kept = 0u;
  if (drop == 23i) {
    kept = rounded((high << 1u) | (low >> 23u), low & 0x7fffffu, 0x400000u, false);
  } else if (drop == 24i) {
    kept = rounded(high, low, 0x800000u, false);
  } else {
    let k = u32(drop - 24i);
    kept = rounded(high >> k, high & ((1u << k) - 1u), 1u << (k - 1u), low != 0u);
  }
  // A carry goes on into the exponent, as it should.
  return sign | select(kept, (u32(place) << 23u) + (kept - 0x800000u), place >= 1i);
}

// One up where rest (and what lies below it: more) is over half, or is half and kept is odd.
fn rounded(kept: u32, rest: u32, half: u32, more: bool) -> u32 {
  let up = rest > half || (rest == half && (more || (kept & 1u) == 1u));
  return kept + select(0u, 1u, up);
}`,
};

const DOT4 = `
${DOT4_MARK}
// fn dot4(a: u32, b: u32) -> u32 { return dot4U8Packed(a, b); }
// The sum of four products of unsigned bytes.
fn dot4(a: u32, b: u32) -> u32 {
  return (a & 0xffu) * (b & 0xffu)
    + ((a >> 8u) & 0xffu) * ((b >> 8u) & 0xffu)
    + ((a >> 16u) & 0xffu) * ((b >> 16u) & 0xffu)
    + (a >> 24u) * (b >> 24u);
}
`;

/** The functions of names, in a fixed order; dot4 comes last. */
export const librarySource = (
  names: ReadonlySet<LibraryName>,
): { readonly head: Text; readonly tail: Text } => {
  const head = Object.entries(SOURCES)
    .filter(([name]) => [...names].some((n) => n === name))
    .map(([, source]) => source);
  return { head: head.join('\n'), tail: names.has('dot4') ? DOT4 : '' };
};
