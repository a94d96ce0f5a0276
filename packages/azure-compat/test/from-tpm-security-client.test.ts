import { fromAzureTpmSecurityClient, originalOf } from '@endorse/azure-compat';
import type { AzureTpmSecurityClient } from '@endorse/azure-compat';
import { VirtualClock } from '@endorse/interface/virtual-clock';
import { joinActivationBlob } from '@endorse/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createCallbackClient,
  endorsementKey,
  registrationId,
  settle,
  storageRootKey,
} from './support/callback-parts.ts';

const blob = joinActivationBlob({
  idObject: Uint8Array.of(0, 32, ...new Uint8Array(48)),
  encryptedSecret: new Uint8Array(256),
  duplicate: new Uint8Array(140),
  encryptedSeed: new Uint8Array(256),
  publicArea: Uint8Array.of(0, 8, ...new Uint8Array(44)),
  encryptedUri: new Uint8Array(0),
});

describe('a callback client behind our contract', () => {
  it('answers every method with copies of its bytes', async () => {
    const theirs = createCallbackClient();
    const ours = fromAzureTpmSecurityClient(theirs);
    expect(await ours.getRegistrationId()).toBe(registrationId);
    expect(Buffer.from(await ours.getEndorsementKey())).toEqual(endorsementKey);
    expect(Buffer.from(await ours.getStorageRootKey())).toEqual(storageRootKey);
    await ours.activateIdentityKey(blob);
    expect(theirs.identityKey()).toEqual(Buffer.from(blob));
    expect(await ours.signWithIdentity(Uint8Array.of(1))).toHaveLength(32);
    const key = await ours.getEndorsementKey();
    key.fill(0);
    expect(Buffer.from(await ours.getEndorsementKey())).toEqual(endorsementKey);
  });

  it('wraps an error, with the method and the original', async () => {
    const fault = Object.assign(new Error('TPM says no'), { tpmError: { responseCode: 0x1df } });
    const ours = fromAzureTpmSecurityClient(createCallbackClient({ activateIdentityKey: { error: fault } }));
    const error: unknown = await ours.activateIdentityKey(blob).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      name: 'AzureSecurityClientError',
      code: 'ERR_TPM_AZURE_CLIENT',
      fault: 'tpm',
      method: 'activateIdentityKey',
      message: 'activateIdentityKey: TPM says no',
      cause: fault,
    });
    expect(originalOf(error)).toBe(fault);
  });

  it.each(['getEndorsementKey', 'getStorageRootKey', 'getRegistrationId'] as const)(
    'rejects when %s calls back without a value',
    async (method) => {
      const theirs = createCallbackClient();
      theirs[method] = (callback: (error: Error | null) => void) => callback(null);
      await expect(fromAzureTpmSecurityClient(theirs)[method]()).rejects.toMatchObject({
        code: 'ERR_TPM_AZURE_CLIENT',
        method,
      });
    },
  );

  it('keeps a malformed blob from the client, which would crash the process on it', async () => {
    const theirs = createCallbackClient();
    const ours = fromAzureTpmSecurityClient(theirs);
    await expect(ours.activateIdentityKey(blob.subarray(0, 100))).rejects.toMatchObject({
      code: 'ERR_REMOTE_MALFORMED',
    });
    expect(theirs.calls).toEqual([]);
  });

  it('ends a call that is never called back, and frees the client for the next', async () => {
    const clock = new VirtualClock();
    const theirs = createCallbackClient({ getStorageRootKey: { never: true } });
    const ours = fromAzureTpmSecurityClient(theirs, { callTimeoutMs: 5000, clock });
    const stuck = ours.getStorageRootKey();
    stuck.catch(() => undefined);
    const next = ours.getEndorsementKey();
    await settle();
    await clock.advance(5000);
    await expect(stuck).rejects.toMatchObject({
      code: 'ERR_TIMEOUT',
      deadlineMs: 5000,
      state: 'getStorageRootKey',
    });
    await settle();
    // The command may still be in the TPM: the next one waits as long again.
    expect(theirs.calls.map(({ method }) => method)).toEqual(['getStorageRootKey']);
    await clock.advance(5000);
    await settle();
    expect(Buffer.from(await next)).toEqual(endorsementKey);
    expect(clock.pendingSleeps).toBe(0);
  });

  it('rejects on abort when the call is over, and makes the next call only then', async () => {
    let release = (): void => undefined;
    const theirs: AzureTpmSecurityClient = {
      ...createCallbackClient(),
      getEndorsementKey: (callback) => {
        release = () => callback(null, endorsementKey);
      },
    };
    let signed = false;
    theirs.getStorageRootKey = (callback) => {
      signed = true;
      callback(null, storageRootKey);
    };
    const ours = fromAzureTpmSecurityClient(theirs);
    const controller = new AbortController();
    const ends: unknown[] = [];
    ours.getEndorsementKey({ signal: controller.signal }).catch((error: unknown) => ends.push(error));
    const next = ours.getStorageRootKey();
    await settle();
    const reason = new Error('enough');
    controller.abort(reason);
    await settle();
    expect({ ends, signed }).toEqual({ ends: [], signed: false });
    release();
    await next;
    expect({ ends, signed }).toEqual({ ends: [reason], signed: true });
  });

  it('rejects 5 s after an abort when the client does not call back', async () => {
    const clock = new VirtualClock();
    const theirs = createCallbackClient({ getEndorsementKey: { never: true } });
    const ours = fromAzureTpmSecurityClient(theirs, { clock });
    const controller = new AbortController();
    const ends: unknown[] = [];
    ours.getEndorsementKey({ signal: controller.signal }).catch((error: unknown) => ends.push(error));
    await settle();
    controller.abort('enough');
    await settle();
    await clock.advance(4999);
    expect(ends).toEqual([]);
    await clock.advance(1);
    await settle();
    expect(ends).toEqual(['enough']);
  });

  it('does not make a call whose turn comes after its abort', async () => {
    const theirs = createCallbackClient();
    const ours = fromAzureTpmSecurityClient(theirs);
    const controller = new AbortController();
    const first = ours.getEndorsementKey();
    const second = ours.getStorageRootKey({ signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(second).rejects.toThrow('enough');
    await first;
    await ours.getRegistrationId();
    expect(theirs.calls.map(({ method }) => method)).toEqual(['getEndorsementKey', 'getRegistrationId']);
  });

  it.each([
    ['no client', undefined, {}, 'securityClient'],
    ['a client without a method', { getEndorsementKey: () => undefined }, {}, 'securityClient'],
    ['a limit out of range', createCallbackClient(), { callTimeoutMs: 0 }, 'callTimeoutMs'],
  ])('refuses %s', (_what, client, options, argument) => {
    expect(() => fromAzureTpmSecurityClient(client as never, options)).toThrow(
      expect.objectContaining({ argument }),
    );
  });
});

it('settles once whatever the client does: calls back late, often, in time or never, throws before or after', async () => {
  const manners = fc.record({
    throwFirst: fc.boolean(),
    results: fc.array(
      fc.record({ delayTurns: fc.nat(3), error: fc.constantFrom(null, undefined, new Error('no'), 'text') }),
      { maxLength: 4 },
    ),
    throwLast: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(manners, async ({ throwFirst, results, throwLast }) => {
      const clock = new VirtualClock();
      const theirs: AzureTpmSecurityClient = {
        ...createCallbackClient(),
        getEndorsementKey: (callback) => {
          if (throwFirst) throw new Error('first');
          for (const { delayTurns, error } of results) {
            const call = (): void => callback(error as Error | null, endorsementKey);
            if (delayTurns === 0) call();
            else setImmediate(call);
          }
          if (throwLast) throw new Error('last');
        },
      };
      const ours = fromAzureTpmSecurityClient(theirs, { clock, callTimeoutMs: 1000 });
      let ends = 0;
      const count = (): void => void (ends += 1);
      ours.getEndorsementKey().then(count, count);
      await settle();
      await clock.advance(3000);
      await settle();
      expect(ends).toBe(1);
      expect(clock.pendingSleeps).toBe(0);
    }),
    { numRuns: 100 },
  );
});
