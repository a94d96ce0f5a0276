import { inspect } from 'node:util';
import type { LogLevel, Logger, RegistrationProgress, Secret } from '@endorse/interface';
import { VirtualClock } from '@endorse/interface/virtual-clock';
import { createScriptedTransport } from '@endorse/testkit';
import { register } from '@endorse/registration-core';
import { expect, it } from 'vitest';
import { createFakeTpm } from './support/fake-identities.ts';
import { runToEnd } from './support/run.ts';
import {
  assigned,
  challenge,
  failWith,
  registrationKey,
  target,
  throttled,
  unauthorized,
} from './support/scripts.ts';

it('no token, signature or key material reaches logs, progress or errors, and every token is overwritten', async () => {
  const tokens: { readonly secret: Secret; readonly text: string }[] = [];
  const note = ({ sasToken }: { readonly sasToken?: Secret }): void => {
    if (sasToken !== undefined) tokens.push({ secret: sasToken, text: sasToken.revealText() });
  };
  const lines: unknown[] = [];
  const logger: Logger = {
    log: (level: LogLevel, event, fields) => lines.push({ level, event, fields }),
  };
  const progress: RegistrationProgress[] = [];
  const transport = createScriptedTransport([
    challenge,
    failWith('register', unauthorized()),
    challenge,
    {
      call: 'register',
      answer: {
        run: (request) => {
          note(request);
          throw throttled(1);
        },
      },
    },
    {
      call: 'register',
      answer: {
        run: (request) => {
          note(request);
          throw unauthorized();
        },
      },
    },
  ]);
  const clock = new VirtualClock();
  const outcome = await runToEnd(
    clock,
    register({
      ...target,
      transport,
      securityClient: createFakeTpm(),
      clock,
      logger,
      onProgress: (report) => progress.push(report),
    }),
  );
  transport.assertDone();
  expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'ERR_SERVICE_UNAUTHORIZED' } });

  const everything = inspect({ lines, progress, outcome }, { depth: 12, maxStringLength: null });
  expect(everything).toContain('registration-failed');
  expect(tokens).toHaveLength(2);
  for (const { secret, text } of tokens) {
    const signature = /sig=([^&]+)/.exec(text)?.[1] ?? 'missing';
    expect(signature.length).toBeGreaterThan(40);
    for (const needle of [text, signature, decodeURIComponent(signature)])
      expect(everything).not.toContain(needle);
    expect(() => secret.reveal()).toThrow(expect.objectContaining({ code: 'ERR_LOCAL_STATE' }));
  }
  for (const encoding of ['hex', 'base64'] as const) {
    expect(everything).not.toContain(Buffer.from(registrationKey).toString(encoding));
  }
});

it('a token is readable while its request is in flight, and not after the run', async () => {
  let held: Secret | undefined;
  let readable = false;
  const transport = createScriptedTransport([
    challenge,
    {
      call: 'register',
      answer: {
        run: ({ sasToken }) => {
          held = sasToken;
          readable = (sasToken?.revealText() ?? '').startsWith('SharedAccessSignature ');
          return assigned;
        },
      },
    },
  ]);
  await register({ ...target, transport, securityClient: createFakeTpm() });
  expect(readable).toBe(true);
  expect(() => held?.reveal()).toThrow('disposed');
});

it('the token is gone before the hub key is stored', async () => {
  let held: Secret | undefined;
  let goneBefore = false;
  const securityClient = createFakeTpm({
    hook: ({ method }) => {
      if (method !== 'activateIdentityKey' || held === undefined) return;
      try {
        held.reveal();
      } catch {
        goneBefore = true;
      }
    },
  });
  const transport = createScriptedTransport([
    challenge,
    {
      call: 'register',
      answer: {
        run: ({ sasToken }) => {
          held = sasToken;
          return assigned;
        },
      },
    },
  ]);
  await register({ ...target, transport, securityClient });
  expect(goneBefore).toBe(true);
});
