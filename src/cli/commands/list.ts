/** `kanc passes` and `kanc targets`. */

import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { TARGETS } from '../../backends/index.js';
import type { Diagnostics } from '../../diagnostics/index.js';
import type { Capabilities } from '../../driver/capabilities.js';
import { loadPlugins } from '../../driver/plugins.js';
import { fieldsOfRecord } from '../../ir/codec.js';
import type { NamedPass } from '../../passes/registry.js';
import { addPluginFlag, type PassFlags } from '../flags/index.js';
import { EXIT } from '../report.js';
import type { AddCommand } from '../settle.js';
import { jsonLine } from '../show.js';

export interface PassesFlags extends Pick<PassFlags, 'plugin'> {
  readonly json?: boolean;
}

export const addPasses: AddCommand = (command, world, settle) => {
  command.option('--json', 'print one JSON object');
  addPluginFlag(command).action(async (flags: PassesFlags) => {
    await settle(listPasses(world, flags));
  });
};

export interface TargetsFlags {
  readonly json?: boolean;
}

export const addTargets: AddCommand = (command, world, settle) => {
  command.option('--json', 'print one JSON object').action(async (flags: TargetsFlags) => {
    await settle(listTargets(world, flags));
  });
};

export const listPasses = (world: Capabilities, flags: PassesFlags): TE.TaskEither<Diagnostics, number> =>
  pipe(
    TE.fromTask<ReadonlyArray<NamedPass>, Diagnostics>(world.passes),
    TE.bindTo('builtin'),
    TE.bind('plugins', ({ builtin }) => loadPlugins(world, builtin)(flags.plugin ?? [])),
    TE.map(({ builtin, plugins }) => {
      const passes = [...builtin, ...plugins.flatMap((p) => p.passes)];
      world.terminal.out(
        flags.json === true ? jsonLine({ passes: passes.map(describe) }) : passes.map(showPass).join('\n'),
      );
      return EXIT.ok;
    }),
  );

const describe = ({ name, summary, from, to, help }: NamedPass) => ({
  name,
  summary,
  from,
  to,
  options: help.map(({ accepts: _accepts, ...told }) => told),
});

const showLevels = ({ from, to }: NamedPass): string => {
  if (from === 'any') return 'any level';
  return to === 'same' || to === from ? from : `${from} -> ${to}`;
};

const showPass = (pass: NamedPass): string => {
  const width = Math.max(0, ...pass.help.map((o) => o.name.length));
  const options = pass.help.map(
    (o) => `    ${o.name.padEnd(width)}  ${o.help} (default: ${o.default === '' ? 'none' : o.default})\n`,
  );
  return `${pass.name} (${showLevels(pass)})\n  ${pass.summary}\n${options.join('')}`;
};

export const listTargets = (world: Capabilities, flags: TargetsFlags): TE.TaskEither<Diagnostics, number> =>
  TE.fromIO(() => {
    const targets = TARGETS.map(({ name, summary, options }) => ({
      name,
      summary,
      options: (fieldsOfRecord(options) ?? []).map(({ name, type }) => ({ name, type })),
    }));
    world.terminal.out(flags.json === true ? jsonLine({ targets }) : targets.map(showTarget).join('\n'));
    return EXIT.ok;
  });

interface TargetDescription {
  readonly name: string;
  readonly summary: string;
  readonly options: ReadonlyArray<{ readonly name: string; readonly type: string }>;
}

const showTarget = ({ name, summary, options }: TargetDescription): string => {
  const width = Math.max(0, ...options.map((o) => o.name.length));
  return `${name}: ${summary}\n${options.map((o) => `    ${o.name.padEnd(width)}  ${o.type}\n`).join('')}`;
};
