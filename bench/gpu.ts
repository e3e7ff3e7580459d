/** What scripts need that run WebGPU in Node: an environment with a Vulkan driver, chosen before a process starts. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { gpuEnvironment } from '../test/support/gpu/dawn.js';

/** Starts the script again with the driver in its environment, unless that has happened, and does not return then. */
export const withDriver = (script: string): void => {
  if (process.env['KANC_GPU_ENVIRONMENT'] !== undefined) return;
  const tsx = fileURLToPath(new URL('../node_modules/tsx/dist/cli.mjs', import.meta.url));
  const again = spawnSync(process.execPath, [tsx, fileURLToPath(script), ...process.argv.slice(2)], {
    env: { ...gpuEnvironment(), KANC_GPU_ENVIRONMENT: '1' },
    stdio: 'inherit',
  });
  process.exit(again.status ?? 1);
};
