import { defineCommand, type Command } from '../command/command.ts';
import { requireTokenText, tokenTextOptions } from '../registrar/token-text.ts';

/** `endorse token inspect`: reads a registration token without verifying it. */
export const tokenInspectCommand: Command = defineCommand({
  path: ['token', 'inspect'],
  summary: 'read a registration token, without verifying it',
  description: [
    'Prints what a token says: who made it, where and until when it registers devices, and its reference, by which it is counted and revoked. Whether its signature is good only a registrar can tell.',
  ],
  options: { ...tokenTextOptions },
  examples: [
    { line: 'endorse token inspect --token-file token.txt', says: 'a token in a file' },
    { line: 'TOKEN=… endorse token inspect --token-env TOKEN --json', says: 'for a program' },
  ],
  exitCodes: { 1: 'it is no registration token' },
  async run(values, { output, env }) {
    const token = requireTokenText(values, env);
    const { inspectToken } = await import('@endorse/dynamic-registration/tokens');
    const { claims, reference, algorithm, keyId, type } = inspectToken(token.revealText());
    output.event({ event: 'token-inspected', reference, algorithm, keyId, type, claims });
    const rows: readonly (readonly [string, unknown])[] = [
      ['reference', reference],
      ['algorithm', algorithm],
      ['key id', keyId ?? 'none'],
      ['type', type ?? 'none'],
      ...Object.entries(claims).map(([name, value]) => [name, describe(name, value)] as const),
    ];
    for (const [name, value] of rows) {
      output.result(`${output.style('dim', name.padEnd(15))} ${String(value)}`);
    }
    return 0;
  },
});

function describe(name: string, value: unknown): string {
  const isTime = name.endsWith('At') || name === 'notBefore';
  if (isTime && typeof value === 'number') return new Date(value).toISOString();
  return typeof value === 'string' ? value : JSON.stringify(value);
}
