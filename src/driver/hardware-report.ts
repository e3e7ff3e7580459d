/** What is known of an RTL artifact as hardware: estimates from its manifest, and its synthesis where there was one. */
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import * as t from 'io-ts';
import { type Fit, fitsOf } from '../analyses/devices.js';
import type { Diagnostics } from '../diagnostics/index.js';
import type { Capabilities } from './capabilities.js';
import type { ArtifactFiles } from './models.js';
import { MOST_BYTES } from './read-limits.js';
import { portBits, type Rtl, SYNTH_FILE, type Synthesis } from './synth.js';

export interface HardwareReport {
  readonly rtl: Rtl;
  /** Estimates, before any synthesis. */
  readonly fits: ReadonlyArray<Fit>;
  /** Of this very module; a synthesis of another one is not told. */
  readonly synthesis?: Synthesis;
}

const Counts = t.record(t.string, t.number);

const SynthesisCodec: t.Type<Synthesis, unknown, unknown> = t.intersection([
  t.type({
    tool: t.string,
    flow: t.string,
    source: t.string,
    cells: Counts,
    luts: t.number,
    lutsBySize: Counts,
    registers: t.number,
    shiftRegisters: t.number,
    carries: t.number,
    multipliers: t.number,
    memories: t.number,
    longestPath: t.union([t.null, t.type({ luts: t.number, carries: t.number })]),
  }),
  t.partial({
    device: t.string,
    placement: t.intersection([
      t.type({ tool: t.string, device: t.string, clock: t.union([t.number, t.null]) }),
      t.partial({ note: t.string }),
    ]),
  }),
]);

const parsed = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
};

/** Undefined for artifacts that are no RTL. */
export const hardwareReport =
  ({ files }: Pick<Capabilities, 'files'>) =>
  (artifact: ArtifactFiles): TE.TaskEither<Diagnostics, HardwareReport | undefined> => {
    const { manifest } = artifact;
    if (manifest.target !== 'verilog') return TE.right(undefined);
    const { rtl } = manifest;
    const path = join(artifact.folder, SYNTH_FILE);
    return pipe(
      files.kindOf(path),
      TE.bindTo('kind'),
      TE.bind('bytes', ({ kind }) =>
        kind === 'file' ? files.readFound(path, MOST_BYTES.synthesis) : TE.right(undefined),
      ),
      TE.map(({ bytes }): HardwareReport => {
        const synthesis = pipe(
          SynthesisCodec.decode(bytes === undefined ? undefined : parsed(bytes)),
          E.getOrElseW(() => undefined),
        );
        const { luts, luts4, registers } = rtl;
        return {
          rtl,
          fits: fitsOf({ luts6: luts, luts4, registers, pins: portBits(rtl) }),
          ...(synthesis?.source === manifest.files['model.v'] && synthesis !== undefined
            ? { synthesis }
            : {}),
        };
      }),
    );
  };
