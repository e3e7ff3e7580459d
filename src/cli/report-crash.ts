/** Tells about a bug of kanc, and writes down what reproduces it. */
import { join } from 'node:path';
import { printable } from '../diagnostics/index.js';
import type { Capabilities } from '../driver/capabilities.js';
import { EXIT } from './report.js';

export const reportCrash = async (
  world: Capabilities,
  argv: ReadonlyArray<string>,
  error: unknown,
): Promise<number> => {
  const { Crash, reproducerName } = await import('../driver/crash.js');
  const crash =
    error instanceof Crash
      ? error
      : new Crash(
          error,
          new Map([
            ['error.txt', `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`],
          ]),
        );
  const folder = join(world.crashFolder, reproducerName(world.sha256, crash));
  const files = [
    ...crash.files,
    [
      'command.json',
      `${JSON.stringify({ kanc: world.version, node: process.version, arguments: argv }, null, 2)}\n`,
    ] as const,
  ];
  const made = await world.files.makeFolder(folder)();
  let written = made._tag === 'Right';
  for (const [name, content] of files) {
    if (written) written = (await world.files.write(join(folder, name), content)())._tag === 'Right';
  }
  world.terminal.progress('');
  const replay = crash.files.has('input.kir')
    ? ` \`kanc opt ${join(folder, 'input.kir')} --passes "$(cat ${join(folder, 'pipeline.txt')})"\` may show it again.`
    : '';
  world.terminal.err(
    written
      ? `bug: kanc stopped because of an error of its own: ${printable(crash.message)}. What it was given is in ${folder}; please report it with that folder.${replay}\n`
      : `bug: kanc stopped because of an error of its own: ${printable(crash.message)}. ${folder} could not be written, so please report it with this:\n${crash.files.get('error.txt') ?? ''}`,
  );
  return EXIT.bug;
};
