/** The arrays between stages, and the dataflow region of folded designs. */
import { type Code, loop } from '../cpp/code.js';
import type { Slot } from '../cpp/stage.js';
import type { Design } from './design.js';

export const typeName = (slot: Slot): string => `${slot.name}_t`;

/** Where results are written to. */
export const resultPort = (design: Design): string => (design.interface === 'axis' ? 'stream_out' : 'y');

export const arrayCode = (name: string, slot: Slot, pragma: string): Code => [
  `${typeName(slot)} ${name}[${slot.length}];`,
  `#pragma HLS ${pragma}`,
];

/** A copy for each reader of an array: streams and arrays of dataflow have one. */
const splitCode = (slot: Slot, readers: number): Code => [
  `static void split_${slot.name}(const ${typeName(slot)} in0[${slot.length}]${Array.from(
    { length: readers },
    (_, k) => `, ${typeName(slot)} out${k}[${slot.length}]`,
  ).join('')})`,
  '{',
  loop('j', slot.length, [
    '#pragma HLS PIPELINE II=1',
    `const ${typeName(slot)} v = in0[j];`,
    ...Array.from({ length: readers }, (_, k) => `out${k}[j] = v;`),
  ]),
  '}',
  '',
];

const readersOf = (design: Design): ReadonlyMap<string, number> => {
  const readers = new Map<string, number>([[design.program.rawSlot.name, 1]]);
  for (const { inputs } of design.hardware) {
    for (const slot of inputs) readers.set(slot.name, (readers.get(slot.name) ?? 0) + 1);
  }
  return readers;
};

/** The stages of a dataflow region, with copies where an array has several readers. */
export const dataflowBody = (design: Design): { readonly body: Code; readonly splits: Code } => {
  const readers = readersOf(design);
  const isChain = [...readers.values()].every((n) => n === 1);
  const given = new Set(design.inputs.map((slot) => slot.name));
  const inOrder = new Map<string, boolean>();
  for (const stage of design.hardware) {
    for (const slot of stage.inputs)
      inOrder.set(slot.name, stage.inOrder && inOrder.get(slot.name) !== false);
  }
  // In a chain a stream need not hold more than two elements; where ways part and meet, it holds all.
  const pragma = (name: string, slot: Slot): string =>
    inOrder.get(slot.name) === true
      ? `STREAM variable=${name} type=fifo depth=${isChain ? 2 : slot.length}`
      : `STREAM variable=${name} type=pipo`;
  const taken = new Map<string, number>();
  const reading = (slot: Slot): string => {
    if ((readers.get(slot.name) ?? 1) < 2) return slot.name;
    const k = taken.get(slot.name) ?? 0;
    taken.set(slot.name, k + 1);
    return `${slot.name}_${k}`;
  };
  const splits: Code[] = [];
  const spread = (slot: Slot): Code => {
    const count = readers.get(slot.name) ?? 1;
    if (count < 2) return [];
    splits.push(splitCode(slot, count));
    const names = Array.from({ length: count }, (_, k) => `${slot.name}_${k}`);
    return [
      ...names.flatMap((name) => arrayCode(name, slot, pragma(name, slot))),
      `split_${slot.name}(${[slot.name, ...names].join(', ')});`,
    ];
  };
  const body: Code = [
    ...(design.interface === 'vector'
      ? []
      : [
          ...design.inputs.flatMap((slot) => arrayCode(slot.name, slot, pragma(slot.name, slot))),
          `read_input(stream_in${design.inputs.map((slot) => `, ${slot.name}`).join('')});`,
        ]),
    ...design.inputs.flatMap(spread),
    ...design.hardware.flatMap((stage) => [
      ...(given.has(stage.output.name)
        ? []
        : arrayCode(stage.output.name, stage.output, pragma(stage.output.name, stage.output))),
      `${stage.name}(${[...stage.inputs.map(reading), stage.output.name].join(', ')});`,
      ...spread(stage.output),
    ]),
    `write_result(${reading(design.program.rawSlot)}, ${resultPort(design)});`,
  ];
  return { body, splits: splits.flat() };
};
