/** Written by `npx tsx bench/kernels.ts --write`: microseconds for each count of wasm-cost.ts, and where they were measured. */
export const WASM_COST = {
  machine: 'AMD EPYC, Node v20.20.2',
  edge: [0.00617, 0.0025, 0.000194, 0.000405, 0.0000972, 0.000333],
  basis: [0.00617, 0.00301, 0, 0.000332, 0.00024, 0],
} as const;
