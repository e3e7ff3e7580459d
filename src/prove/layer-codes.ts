/** Codes that layers are probed around: those of the background where a kernel may know one, and others. */
import type { TypedArray } from '../ir/element.js';
import type { LayerModel } from './layer-model.js';

/** The smallest code of an element that the layer sees as `wanted`; undefined where there is none. */
const codeFor = (
  model: LayerModel,
  element: number,
  wanted: (code: number) => boolean,
): number | undefined => {
  for (let c = 0; c < model.levels; c++) {
    if (model.occurs(element, c) && wanted(model.layerCode(element, c))) return c;
  }
  return undefined;
};

/** The code in the middle of all, or the nearest that can occur, of every element. */
export const middleCodes = ({ elements, levels, occurs }: LayerModel): Uint16Array =>
  Uint16Array.from({ length: elements }, (_, e) => {
    const middle = levels >> 1;
    for (let d = 0; d <= middle; d++) {
      if (occurs(e, middle - d)) return middle - d;
      if (middle + d < levels && occurs(e, middle + d)) return middle + d;
    }
    return middle;
  });

/**
 * One list of codes for all elements, or two where the layer knows frequent codes: a kernel may skip inputs that are at
 * theirs, so that pairs are run among skipped inputs and among inputs that are looked up.
 */
export const baseCodes = (
  model: LayerModel,
): ReadonlyArray<{ readonly name: string; readonly codes: Uint16Array }> => {
  const { frequent, window } = model.op.attrs;
  const middle = middleCodes(model);
  if (frequent === undefined || window !== undefined)
    return [
      {
        name: middle.every((c) => c === middle[0]) ? `code ${middle[0]}` : 'codes in the middle',
        codes: middle,
      },
    ];
  const often = (element: number): number | undefined => {
    const input = model.readerInput[model.first[element]!];
    return model.first[element] === model.first[element + 1] || input === undefined
      ? undefined
      : frequent.data[input];
  };
  const background = middle.map((c, e) => codeFor(model, e, (code) => code === often(e)) ?? c);
  const other = middle.map((c, e) => {
    const code = often(e);
    return model.layerCode(e, c) !== code ? c : (codeFor(model, e, (own) => own !== code) ?? c);
  });
  return [
    { name: 'their frequent codes', codes: background },
    { name: 'other codes', codes: other },
  ];
};

/**
 * For output o of a row: the codes with the largest or smallest sums, of all elements that results with this output
 * read; elsewhere `base`. `reads(r)` tells which readers count.
 */
export const extremeCodes = (
  model: LayerModel,
  o: number,
  largest: boolean,
  base: Uint16Array,
  reads: (reader: number) => boolean,
): TypedArray => {
  const codes = base.slice();
  const sums = new Float64Array(model.levels);
  for (let e = 0; e < model.elements; e++) {
    sums.fill(0);
    let any = false;
    for (let r = model.first[e]!; r < model.first[e + 1]!; r++) {
      if (!reads(r)) continue;
      any = true;
      const { data, at } = model.rowsOf(model.readerInput[r]!);
      for (let c = 0; c < model.levels; c++) sums[c]! += data[at + model.layerCode(e, c) * model.width + o]!;
    }
    if (!any) continue;
    let best: number = base[e]!;
    for (let c = 0; c < model.levels; c++) {
      if (!model.occurs(e, c)) continue;
      if (largest ? sums[c]! > sums[best]! : sums[c]! < sums[best]!) best = c;
    }
    codes[e] = best;
  }
  return codes;
};
