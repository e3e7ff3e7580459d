/** Written by `npx tsx bench/kernels.ts --write`: microseconds for each count of wasm-cost.ts, and where they were measured. */
export const WASM_COST = {
  machine: 'Intel(R) Xeon(R) Processor, Node v20.20.2',
  edge: [0.00636, 0.00583, 0.000263, 0.000633, 0.0000398, 0.000462],
  basis: [0.00636, 0.00474, 0.000757, 0.000352, 0.000171, 0],
} as const;
