import { describe, expect, test } from 'vitest';
import { rejection, rejectionWith, settle } from '../common/rejection.ts';
import { watchResources } from '../common/resources.ts';
import { activateFresh, hmac, wrapForTpm } from './blobs.ts';
import type { SecurityClientFixture, SecurityClientSetup } from './fixture.ts';
import { prepareSigner } from './signing-tests.ts';
import { probeScope } from './token-tests.ts';

/** After how many turns of the event loop a call is aborted: at once, and at many points of a TPM's work. */
const abortTurns = [0, 1, 2, 3, 5, 8, 13, 21, 34];

/** At which points of an activation it is aborted, as a share of the time that another one took. */
const abortPercents = [0, 10, 25, 40, 55, 70, 80, 90, 97];

const probe = new TextEncoder().encode('still there?');

/** What holds for every method: abort, disposal, nothing left behind. */
export function traitTests(setup: SecurityClientSetup): void {
  describe('every method', () => {
    test('rejects with the reason of an aborted signal, and the client goes on', async () => {
      await using fixture = await setup();
      for (const [name, call] of await calls(fixture)) {
        for (const reason of [new Error(`aborted before ${name}`), 'a reason that is no error']) {
          await rejectionWith(call(AbortSignal.abort(reason)), reason);
        }
      }
      for (const [, call] of await calls(fixture)) await call(undefined);
    });

    test('rejects with the reason when it is aborted right after the call', async () => {
      await using fixture = await setup();
      for (const [name, call] of await calls(fixture)) {
        const controller = new AbortController();
        const reason = new Error(`aborted ${name}`);
        const called = settle(call(controller.signal));
        controller.abort(reason);
        const outcome = await called;
        // What needs no work may have been answered already; what rejects has to say why.
        if (outcome.status === 'rejected') expect(outcome.reason).toBe(reason);
      }
      for (const [, call] of await calls(fixture)) await call(undefined);
    });

    test('ends with a result or the reason, whenever it is aborted', async () => {
      await using fixture = await setup();
      const prepared = await calls(fixture);
      for (const turns of abortTurns) {
        for (const [name, call] of prepared) {
          const controller = new AbortController();
          const reason = new Error(`aborted ${name} after ${turns} turns`);
          const called = settle(call(controller.signal));
          for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
          controller.abort(reason);
          const outcome = await called;
          if (outcome.status === 'rejected') expect(outcome.reason).toBe(reason);
        }
      }
      const signer = await prepareSigner(fixture);
      if (signer !== undefined) expect(await signer.sign(probe)).toEqual(hmac(signer.key, probe));
    });

    test('leaves no listener on the signal', async () => {
      await using fixture = await setup();
      for (const [name, call] of await calls(fixture)) {
        const { signal, count } = watchedSignal();
        await call(signal);
        expect(count(), name).toBe(0);
      }
    });
  });

  describe('an aborted activation', () => {
    test.each(abortPercents)('at %i percent of its time leaves the key it says', async (percent) => {
      await using fixture = await setup();
      if (fixture.kind !== 'tpm') {
        expect('activateIdentityKey' in fixture.securityClient).toBe(false);
        return;
      }
      const startedAt = performance.now();
      const before = await activateFresh(fixture);
      const usualMs = performance.now() - startedAt;
      const { key: after, blob } = await wrapForTpm(fixture);
      const controller = new AbortController();
      const reason = new Error('aborted');
      const activating = settle(
        fixture.securityClient.activateIdentityKey(blob, { signal: controller.signal }),
      );
      const abortAt = performance.now() + (usualMs * percent) / 100;
      while (performance.now() < abortAt) await new Promise((resolve) => setImmediate(resolve));
      controller.abort(reason);
      const outcome = await activating;
      if (outcome.status === 'rejected') expect(outcome.reason).toBe(reason);
      // Rejected means not done: the key from before signs. Fulfilled means done, whatever the signal says.
      const working = outcome.status === 'rejected' ? before : after;
      expect(await fixture.securityClient.signWithIdentity(probe)).toEqual(hmac(working, probe));
    });
  });

  describe('disposal', () => {
    test('ends the client: twice is once, and every later call is refused', async () => {
      await using fixture = await setup();
      const prepared = await calls(fixture);
      const client: object = fixture.securityClient;
      if (!isDisposable(client)) {
        // A client that holds nothing needs no disposal, and keeps working.
        for (const [, call] of prepared) await call(undefined);
        return;
      }
      await client[Symbol.asyncDispose]();
      await client[Symbol.asyncDispose]();
      for (const [, call] of prepared) {
        const error = await rejection(call(undefined), /^ERR_(SESSION|TPM)_CLOSED$/);
        expect(error.retryable).toBe(false);
      }
    });

    test('ends running calls and leaves no socket and no timer behind', async () => {
      using watch = watchResources();
      {
        await using fixture = await setup();
        const prepared = await calls(fixture);
        const client: object = fixture.securityClient;
        const running = prepared.map(([, call]) => settle(call(undefined)));
        if (isDisposable(client)) await client[Symbol.asyncDispose]();
        for (const outcome of await Promise.all(running)) {
          if (outcome.status === 'rejected') {
            expect(outcome.reason).toMatchObject({
              code: expect.stringMatching(/^ERR_(SESSION|TPM)_CLOSED$/) as unknown,
            });
          }
        }
      }
      await watch.released();
    });
  });
}

type Call = (signal: AbortSignal | undefined) => Promise<unknown>;

/** Every method of the client, ready to be called with sensible arguments. */
async function calls(fixture: SecurityClientFixture): Promise<readonly (readonly [string, Call])[]> {
  const client = fixture.securityClient;
  const registrationId = [
    'getRegistrationId',
    (signal) => client.getRegistrationId({ signal }),
  ] as const satisfies readonly [string, Call];
  switch (fixture.kind) {
    case 'tpm': {
      const { securityClient: tpm } = fixture;
      await activateFresh(fixture);
      const { blob } = await wrapForTpm(fixture);
      return [
        registrationId,
        ['getEndorsementKey', (signal) => tpm.getEndorsementKey({ signal })],
        ['getStorageRootKey', (signal) => tpm.getStorageRootKey({ signal })],
        ['activateIdentityKey', (signal) => tpm.activateIdentityKey(blob, { signal })],
        ['signWithIdentity', (signal) => tpm.signWithIdentity(probe, { signal })],
        [
          'signWithIdentity of a sequence',
          (signal) => tpm.signWithIdentity(new Uint8Array(5000), { signal }),
        ],
      ];
    }
    case 'symmetric-key': {
      const { securityClient: key } = fixture;
      return [registrationId, ['signWithIdentity', (signal) => key.signWithIdentity(probe, { signal })]];
    }
    case 'token-issuer': {
      const { securityClient: issuer } = fixture;
      return [registrationId, ['issueSasToken', (signal) => issuer.issueSasToken(probeScope, { signal })]];
    }
    case 'x509': {
      const { securityClient: x509 } = fixture;
      return [registrationId, ['getCertificate', (signal) => x509.getCertificate({ signal })]];
    }
    default:
      return fixture satisfies never;
  }
}

function isDisposable(client: object): client is AsyncDisposable {
  return Symbol.asyncDispose in client;
}

/** A signal that counts the listeners it has. */
function watchedSignal(): { readonly signal: AbortSignal; readonly count: () => number } {
  const { signal } = new AbortController();
  const listeners = new Set<unknown>();
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...given: Parameters<typeof add>) => {
    listeners.add(given[1]);
    add(...given);
  };
  signal.removeEventListener = (...given: Parameters<typeof remove>) => {
    listeners.delete(given[1]);
    remove(...given);
  };
  return { signal, count: () => listeners.size };
}
