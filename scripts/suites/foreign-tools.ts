/**
 * Keeps `npm test` to what a fresh machine has: programs that only
 * `npm run test:system` provides are hidden from its tests, wherever they happen
 * to be installed. A test that needs one is a system test.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { commands } from '../lib/commands.mjs';
import { systemTools } from '../lib/system-tools.mjs';

/** The programs that the system tests have and the others have not. */
export function foreignPrograms(): string[] {
  const programsOf = (command: 'test' | 'test:system'): string[] =>
    (commands[command]?.tools ?? []).flatMap((tool) => systemTools[tool]?.programs ?? []);
  const provided = programsOf('test');
  return programsOf('test:system').filter((program) => !provided.includes(program));
}

/** An environment in which the programs fail and say where they belong; `folder` holds the stand-ins. */
export function hideForeignPrograms(folder: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const program of foreignPrograms()) {
    const script = `#!/bin/sh\necho "${program} is for *.system.test.ts only" >&2\nexit 127\n`;
    writeFileSync(join(folder, program), script, { mode: 0o755 });
  }
  return { ...env, PATH: [folder, env['PATH'] ?? ''].join(delimiter) };
}
