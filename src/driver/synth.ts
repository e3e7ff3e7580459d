/** `kanc synth`: LUTs, registers and paths of an RTL artifact by free tools, and a placed clock where there is one. */
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { DEVICES, type Device, type Fit, findDevice, fitOf } from '../analyses/devices.js';
import { type Depth, longestPath, NetlistCodec } from '../analyses/netlist-depth.js';
import type { VerilogManifest } from '../backends/verilog/manifest.js';
import { type Checked, type Diagnostics, fail, printable } from '../diagnostics/index.js';
import { writeFileAtomically } from './atomic.js';
import type { Capabilities } from './capabilities.js';
import { type ArtifactFiles, loadArtifact } from './models.js';
import {
  type Flow,
  flowOf,
  harnessText,
  NETLIST,
  parseClock,
  parseStat,
  type Resources,
  resourcesOf,
  STAT,
  scriptOf,
  yosysOf,
} from './yosys.js';

type World = Pick<
  Capabilities,
  'files' | 'tools' | 'importPackage' | 'unique' | 'removeOnInterrupt' | 'occupied'
>;

export type Rtl = VerilogManifest['rtl'];

/** The RTL part of an artifact's manifest; K0603 where the artifact is of another target. */
export const rtlOf = ({ manifest, folder }: ArtifactFiles): Checked<Rtl> =>
  manifest.target === 'verilog'
    ? E.right(manifest.rtl)
    : fail('K0603', `the artifact is of the target ${manifest.target}`, {
        place: { file: folder },
        expected: 'one of the target verilog',
        hint: 'Compile with --target verilog.',
      });

/** Bits of all ports, with the clock, the reset and both handshakes. */
export const portBits = ({ inputs, outputs }: Rtl): number =>
  inputs.reduce((n, width) => n + width, 6) + outputs.reduce((n, { width }) => n + width, 0);

/** Where the result of a synthesis lies in the folder of the artifact. */
export const SYNTH_FILE = 'synth.json';

export interface Placement {
  readonly tool: string;
  readonly device: string;
  /** MHz; the module stands between shift registers. */
  readonly clock: number | null;
  /** Why there is no clock. */
  readonly note?: string;
}

export interface Synthesis extends Resources {
  readonly tool: string;
  readonly flow: string;
  /** SHA-256 of the module that was synthesized. */
  readonly source: string;
  readonly cells: Readonly<Record<string, number>>;
  readonly longestPath: Depth | null;
  readonly device?: string;
  readonly placement?: Placement;
}

export interface SynthResult {
  readonly synthesis: Synthesis;
  readonly fit: Fit | undefined;
}

const deviceOf = (name: string | undefined): Checked<Device | undefined> => {
  if (name === undefined) return E.right(undefined);
  const device = findDevice(name);
  return device === undefined
    ? fail('K0801', `there is no device '${printable(name, 40)}'`, {
        place: { option: '--device' },
        expected: `one of ${DEVICES.map((d) => d.name).join(', ')}`,
      })
    : E.right(device);
};

/** Synthesizes the artifact in a folder and writes the result beside it. `onStart` is told of the design before the work. */
export const synthesize =
  (world: World) =>
  (
    folder: string,
    deviceName: string | undefined,
    onStart: (rtl: Rtl) => void,
  ): TE.TaskEither<Diagnostics, SynthResult> =>
    pipe(
      TE.fromEither(deviceOf(deviceName)),
      TE.bindTo('device'),
      TE.bind('artifact', () => loadArtifact(world)(folder)),
      TE.bind('rtl', ({ artifact }) => TE.fromEither(rtlOf(artifact))),
      TE.bind('yosys', () => yosysOf(world)),
      TE.tap(({ rtl }) => TE.fromIO(() => onStart(rtl))),
      TE.bind('synthesis', ({ device, artifact, rtl, yosys }) => {
        const flow = flowOf(device);
        const source = artifact.files.get('model.v') ?? new Uint8Array(0);
        return pipe(
          yosys.run(scriptOf(flow, ['model.v'], rtl.module), new Map([['model.v', source]]), [STAT, NETLIST]),
          TE.flatMapEither((files) => resultOf(files, rtl.module)),
          TE.bindTo('found'),
          TE.bind('placement', () => placed(world, yosys.run, flow, device, rtl, source)),
          TE.map(
            ({ found, placement }): Synthesis => ({
              tool: yosys.version,
              flow: flow.command,
              source: artifact.manifest.files['model.v'] ?? '',
              ...found,
              ...(device === undefined ? {} : { device: device.name }),
              ...(placement === undefined ? {} : { placement }),
            }),
          ),
        );
      }),
      TE.tap(({ synthesis }) =>
        writeFileAtomically(world, 'anywhere')(
          join(folder, SYNTH_FILE),
          `${JSON.stringify(synthesis, null, 2)}\n`,
        ),
      ),
      TE.map(({ synthesis, device, rtl }) => ({
        synthesis,
        fit: device === undefined ? undefined : fitOf({ ...needOf(synthesis), pins: portBits(rtl) }, device),
      })),
    );

/** What was synthesized for LUTs of one size is told as that size. */
const needOf = ({ luts, registers, multipliers }: Synthesis) => ({
  luts6: luts,
  luts4: luts,
  registers,
  multipliers,
});

type Found = Pick<Synthesis, 'cells' | 'longestPath' | keyof Resources>;

const resultOf = (files: ReadonlyMap<string, string>, top: string): Checked<Found> => {
  const cells = parseStat(files.get(STAT) ?? '');
  const netlist: unknown = JSON.parse(files.get(NETLIST) ?? '{}');
  const path = NetlistCodec.is(netlist) ? longestPath(netlist, top) : undefined;
  return Object.keys(cells).length === 0
    ? fail('K0608', 'yosys gave no statistics')
    : E.right({ ...resourcesOf(cells), cells, longestPath: path ?? null });
};

/** Places the module between shift registers. */
const placed = (
  { tools }: World,
  run: (
    script: string,
    sources: ReadonlyMap<string, Uint8Array | string>,
    results: ReadonlyArray<string>,
  ) => TE.TaskEither<Diagnostics, ReadonlyMap<string, string>>,
  flow: Flow,
  device: Device | undefined,
  rtl: Rtl,
  source: Uint8Array,
): TE.TaskEither<Diagnostics, Placement | undefined> => {
  const { place } = flow;
  if (place === undefined || device === undefined) return TE.right(undefined);
  const tool = place.program;
  const none = (note: string): Placement => ({ tool, device: device.name, clock: null, note });
  const folder = tools.scratch();
  if (E.isLeft(folder)) return TE.left(folder.left);
  if (tools.run(tool, ['--version'], { cwd: folder.right }) === undefined) {
    return TE.right(none(`${tool} is not installed, so that there is no placed clock`));
  }
  const harness = harnessText(
    rtl.module,
    rtl.inputs,
    rtl.outputs.map(({ width }) => width),
  );
  const sources = new Map<string, Uint8Array | string>([
    ['model.v', source],
    ['harness.v', harness],
  ]);
  return pipe(
    run(scriptOf(flow, ['model.v', 'harness.v'], 'harness'), sources, [STAT, NETLIST]),
    TE.flatMapEither((files) => {
      const netlist = files.get(NETLIST) ?? '';
      const written = tools.write(folder.right, new Map([[NETLIST, netlist]]));
      if (E.isLeft(written)) return written;
      const args = [...place.args, '--json', NETLIST, '--freq', '1', '--seed', '1'];
      const result = tools.run(tool, args, { cwd: folder.right });
      const clock = parseClock(result?.stderr ?? '');
      const said = result?.stderr.match(/^ERROR: .*$/m)?.[0] ?? `${tool} gave no clock`;
      return E.right(clock === undefined ? none(printable(said, 200)) : { tool, device: device.name, clock });
    }),
  );
};
