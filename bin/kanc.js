#!/usr/bin/env node
import { main } from '../dist/cli/main.js';
import { nodeCapabilities } from '../dist/driver/node/index.js';

// Not process.exit: output that is still on its way to a pipe would be lost.
process.exitCode = await main(process.argv.slice(2), nodeCapabilities());
