/** `npx tsx bench/hardware/basis.ts`: resources of the basis unit by the bits of basis values. */
import { accumulatorBits, type BasisUnit, unitTestbench, unitText } from './basis-unit.js';
import { mapped, placedClock, transistors } from './measure.js';
import { inFolder, less, run, table, write } from './tools.js';

const UNIT = { coefficient: 8, order: 3, fractions: 32, outputs: 8, inputs: 64 } as const;
const TOP = 'basis_unit';

const simulated = (unit: BasisUnit): void =>
  inFolder((folder) => {
    write(folder, { 'unit.v': unitText(unit), 'tb.v': unitTestbench(unit) });
    run('iverilog', ['-g2005', '-o', 'sim', 'tb.v', 'unit.v'], folder);
    const said = run('vvp', ['sim'], folder).toString();
    if (!said.includes('PASS')) throw new Error(`${unit.bits} bits: ${said}`);
  });

/** The unit between shift registers, so that it can be placed on a device of any number of pins. */
const harnessText = (unit: BasisUnit): string => {
  const places = Math.log2(unit.fractions);
  const inputs = 1 + places + unit.outputs * (unit.order + 1) * unit.coefficient;
  const outputs = unit.outputs * accumulatorBits(unit);
  return `module harness (input wire clk, input wire si, input wire load, output wire so);
  reg [${inputs - 1}:0] in;
  reg [${outputs - 1}:0] out;
  wire [${outputs - 1}:0] sums;
  assign so = out[${outputs - 1}];
  ${TOP} dut (.clk(clk), .first(in[0]), .fraction(in[${places}:1]), .coefficients(in[${inputs - 1}:${places + 1}]), .sums(sums));
  always @(posedge clk) begin
    in <= {in[${inputs - 2}:0], si};
    out <= load ? sums : {out[${outputs - 2}:0], 1'b0};
  end
endmodule
`;
};

const luts = [8, 4, 3, 2].map((bits) => {
  const unit: BasisUnit = { ...UNIT, bits };
  simulated(unit);
  const small: BasisUnit = { ...unit, outputs: 2 };
  return {
    bits,
    acc: accumulatorBits(unit),
    ...mapped(unitText(unit), TOP, false),
    clock: placedClock(unitText(small), harnessText(small)),
  };
});
const first = luts[0]!;
console.log(
  table(
    ['bits of B', 'LUT', '', 'FF', '', 'LUT + FF', '', 'carry blocks', 'LUTs in a row', 'clock, MHz', ''],
    luts.map((m) => [
      String(m.bits),
      m.luts,
      less(first.luts, m.luts),
      m.registers,
      less(first.registers, m.registers),
      m.luts + m.registers,
      less(first.luts + first.registers, m.luts + m.registers),
      m.carries,
      m.depth.luts,
      m.clock.toFixed(1),
      less(first.clock, m.clock),
    ]),
  ),
);

const areas = [16, 8, 4, 3, 2].map((bits) => ({
  bits,
  count: transistors(unitText({ ...UNIT, bits }), TOP),
}));
console.log(
  table(
    ['bits of B', 'transistors', ''],
    areas.map(({ bits, count }) => [String(bits), count, less(areas[0]!.count, count)]),
  ),
);
