#!/usr/bin/env node
import { watchInterruption } from './interruption.ts';
import { runCli } from './run-cli.ts';

const { signal, release } = watchInterruption();
process.exitCode = await runCli(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  platform: process.platform,
  signal,
});
release();
