/** What a circuit computes, without time: the definition that its text is tested against. */
import type { Circuit } from './lower.js';
import type { Net } from './net.js';

const signed = (value: number, width: number): number =>
  value >= 2 ** (width - 1) ? value - 2 ** width : value;

/** The value of a net from those of its operands. */
const netValue = ({ def, width }: Net, values: Float64Array, inputs: ArrayLike<number>): number => {
  const modulus = 2 ** width;
  switch (def.kind) {
    case 'input':
      return inputs[def.index]!;
    case 'table': {
      let at = 0;
      const of = values[def.of.id]!;
      for (const [k, bit] of def.bits.entries()) at += (Math.floor(of / 2 ** bit) % 2) * 2 ** k;
      return def.values[at]!;
    }
    case 'add': {
      const b = def.b === undefined ? 0 : values[def.b.id]!;
      const carry = def.carry === undefined ? 0 : values[def.carry.id]!;
      return (values[def.a.id]! + b + carry) % modulus;
    }
    case 'slice':
      return Math.floor(values[def.of.id]! / 2 ** def.from) % modulus;
    case 'clamp':
      if (def.high !== undefined && values[def.high.when.id] === 1) return def.high.give;
      if (def.low !== undefined && values[def.low.when.id] === 1) return def.low.give;
      return values[def.of.id]!;
    case 'rank': {
      const value = values[def.of.id]!;
      const integer = def.width === undefined ? value : signed(value, def.width);
      return def.thresholds.filter((t) => t <= integer).length;
    }
    case 'multiply': {
      const product = signed(values[def.a.id]!, def.aWidth) * signed(values[def.b.id]!, def.bWidth);
      return ((product % modulus) + modulus) % modulus;
    }
  }
};

/** The integers at the output ports for codes at the input ports. */
export const evaluateCircuit = (circuit: Circuit, inputs: ArrayLike<number>): Int32Array => {
  const values = new Float64Array(circuit.nets.all.length);
  for (const net of circuit.nets.all) values[net.id] = netValue(net, values, inputs);
  return Int32Array.from(circuit.outputs, ({ net, width, signed: isSigned }) =>
    isSigned ? signed(values[net.id]!, width) : values[net.id]!,
  );
};
