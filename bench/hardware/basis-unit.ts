/**
 * The unit of a folded layer in the basis form: a table of B-spline values that all inputs share, and an array of
 * multiply-accumulators. It takes one input a clock: the fraction of its code, and the row of coefficients of the p + 1
 * functions that are not zero there, for `outputs` outputs.
 */
import { basisAt } from '../../src/numeric/bspline.js';
import { randomOf } from '../../test/support/random.js';

export interface BasisUnit {
  /** Bits of a basis value. */
  readonly bits: number;
  /** Bits of a coefficient. */
  readonly coefficient: number;
  readonly order: number;
  /** Places in an interval between knots, a power of two. */
  readonly fractions: number;
  /** Accumulators, of which each has order + 1 multipliers. */
  readonly outputs: number;
  /** Inputs that an accumulator has room for. */
  readonly inputs: number;
}

/** [fractions][order + 1]: values at the middle of each place, the largest of all being 2^bits - 1. */
export const basisValues = ({ bits, order, fractions }: BasisUnit): ReadonlyArray<ReadonlyArray<number>> => {
  const count = 2 * order + 2;
  const row = { knots: Float32Array.from({ length: count }, (_, k) => k - order), offset: 0, count };
  const values = Array.from({ length: fractions }, (_, k) => {
    const out = new Float64Array(order + 1);
    basisAt(row, order, (k + 0.5) / fractions, out);
    return [...out];
  });
  const largest = Math.max(...values.flat());
  return values.map((v) => v.map((x) => Math.round((x / largest) * (2 ** bits - 1))));
};

/** Bits of an accumulator, by the largest sum. */
export const accumulatorBits = (unit: BasisUnit): number => {
  const most = Math.max(...basisValues(unit).map((v) => v.reduce((a, b) => a + b, 0)));
  return 1 + Math.ceil(Math.log2(unit.inputs * most * 2 ** (unit.coefficient - 1) + 1));
};

const range = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, k) => k);

/** Verilog-2005: a stage for the table, one for the products and their sum, one for the accumulators. */
export const unitText = (unit: BasisUnit): string => {
  const { bits, coefficient, order, fractions, outputs } = unit;
  const terms = range(order + 1);
  const [acc, one] = [accumulatorBits(unit), accumulatorBits({ ...unit, inputs: 1 })];
  const place = Math.log2(fractions);
  const rows = basisValues(unit).map(
    (v, k) =>
      `      ${place}'d${k}: {${[...terms]
        .reverse()
        .map((j) => `t${j}`)
        .join(', ')}} <= {${[...v]
        .reverse()
        .map((x) => `${bits}'d${x}`)
        .join(', ')}};`,
  );
  const weight = (o: number, j: number): string =>
    `w[${(o * (order + 1) + j + 1) * coefficient - 1}:${(o * (order + 1) + j) * coefficient}]`;
  const width = outputs * (order + 1) * coefficient;
  return `module basis_unit (
  input wire clk,
  input wire first,
  input wire [${place - 1}:0] fraction,
  input wire [${width - 1}:0] coefficients,
  output wire [${outputs * acc - 1}:0] sums
);
  reg [${bits - 1}:0] ${terms.map((j) => `t${j}`).join(', ')};
  reg [${width - 1}:0] w;
  reg first1;
  reg first2;
  always @(posedge clk) begin
    w <= coefficients;
    first1 <= first;
    first2 <= first1;
    case (fraction)
${rows.join('\n')}
    endcase
  end
${range(outputs)
  .map(
    (o) => `  reg signed [${one - 1}:0] p${o};
  reg signed [${acc - 1}:0] a${o};
  assign sums[${(o + 1) * acc - 1}:${o * acc}] = a${o};
  always @(posedge clk) begin
    p${o} <= ${terms.map((j) => `$signed(${weight(o, j)}) * $signed({1'b0, t${j}})`).join(' + ')};
    a${o} <= (first2 ? ${acc}'sd0 : a${o}) + p${o};
  end`,
  )
  .join('\n')}
endmodule
`;
};

/** A testbench over random inputs that prints PASS where the accumulators are exact. */
export const unitTestbench = (unit: BasisUnit): string => {
  const { coefficient, order, fractions, outputs, inputs } = unit;
  const r = randomOf(unit.bits);
  const values = basisValues(unit);
  const acc = accumulatorBits(unit);
  const [lo, hi] = [-(2 ** (coefficient - 1)), 2 ** (coefficient - 1) - 1];
  const sums = new Array<number>(outputs).fill(0);
  const steps = range(inputs).map((i) => {
    const f = r.whole(0, fractions - 1);
    // The last half at the ends, where sums are largest.
    const weights = range(outputs * (order + 1)).map(() => (i % 2 === 0 ? r.whole(lo, hi) : lo));
    weights.forEach((w, k) => {
      sums[Math.floor(k / (order + 1))]! += w * values[f]![k % (order + 1)]!;
    });
    const word = weights.reduce(
      (n, w, k) => n | (BigInt.asUintN(coefficient, BigInt(w)) << BigInt(k * coefficient)),
      0n,
    );
    return `    first = ${i === 0 ? 1 : 0}; fraction = ${f}; coefficients = ${outputs * (order + 1) * coefficient}'h${word.toString(16)}; #1 clk = 1; #1 clk = 0;`;
  });
  const expected = sums.reduce((n, s, o) => n | (BigInt.asUintN(acc, BigInt(s)) << BigInt(o * acc)), 0n);
  return `module tb;
  reg clk = 0;
  reg first = 0;
  reg [${Math.log2(fractions) - 1}:0] fraction = 0;
  reg [${outputs * (order + 1) * coefficient - 1}:0] coefficients = 0;
  wire [${outputs * acc - 1}:0] sums;
  basis_unit dut (.clk(clk), .first(first), .fraction(fraction), .coefficients(coefficients), .sums(sums));
  initial begin
${steps.join('\n')}
    first = 0; coefficients = 0;
    repeat (2) begin #1 clk = 1; #1 clk = 0; end
    if (sums === ${outputs * acc}'h${expected.toString(16)}) $display("PASS"); else $display("FAIL %h", sums);
    $finish;
  end
endmodule
`;
};
