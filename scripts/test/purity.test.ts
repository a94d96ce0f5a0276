import { expect, test } from 'vitest';
import { impurities } from '../checks/purity.ts';

const impure = [
  'setTimeout(() => undefined, 5);',
  'const later = globalThis.setTimeout;',
  'const now = Date.now();',
  'const now = new Date();',
  'const now = new Date;',
  'const now = Date();',
  'const n = Math.random();',
  'const { env } = process;',
  "import { randomBytes } from 'node:crypto';",
  "import { generateKeyPairSync as make } from 'node:crypto';",
  "import { connect } from 'node:net';",
  "import { readFile } from 'fs';",
  "const fs = await import('node:fs/promises');",
  "import { systemClock } from '@endorse/interface/node';",
  'const id = crypto.randomUUID();',
  "await fetch('https://example.test');",
  'const signal = AbortSignal.timeout(5);',
  "console.log('x');",
  'const start = performance.now();',
];

test.for(impure)('finds %s', (text) => {
  expect(impurities('src/x.ts', text)).toHaveLength(1);
});

const pure = [
  'const at = new Date(clock.now()).toISOString();',
  'const at = Date.parse(text);',
  "import { createHmac, timingSafeEqual } from 'node:crypto';",
  "import { Buffer } from 'node:buffer';",
  "import type { Clock } from '@endorse/interface';",
  'export interface Clock { setTimeout(ms: number): void; process: string }',
  'class Machine { process(event: string): void { this.process(event); } }',
  'export function run(process: string): string { return process; }',
  'const options = { fetch: 1, performance: 2 };',
  '// setTimeout(() => undefined, 5);',
  "const text = 'Date.now()';",
  'const reason = signal.reason ?? AbortSignal.any([signal]);',
];

test.for(pure)('lets pass %s', (text) => {
  expect(impurities('src/x.ts', text)).toEqual([]);
});

test('says where', () => {
  expect(impurities('src/x.ts', '\n\nconst n = Math.random();')).toEqual([
    { file: 'src/x.ts', line: 3, message: 'Math.random reaches the system; take a port' },
  ]);
});
