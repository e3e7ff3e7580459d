/** Most bytes that are read of files that kanc finds by itself: far more than it or a library writes. */
const MIB = 2 ** 20;

export const MOST_BYTES = {
  /** manifest.json of an artifact: it tells values and layers, no tables. */
  manifest: 64 * MIB,
  /** All files of an artifact together. */
  artifact: 1024 * MIB,
  /** Files of a checkpoint that lie beside the one that was named, or in the folder that was. */
  checkpoint: 1024 * MIB,
  /** Points of a sweep, some hundred bytes each. */
  points: 256 * MIB,
  /** What synthesis found. */
  synthesis: 16 * MIB,
  /** What tools wrote into a folder of their own. */
  toolOutput: 1024 * MIB,
  /** A module with passes. */
  plugin: 64 * MIB,
  /** What the build puts beside kanc. */
  asset: 64 * MIB,
} as const;
