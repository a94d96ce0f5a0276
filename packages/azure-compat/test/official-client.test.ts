/** The official `ProvisioningDeviceClient`, unmodified, on our transport and our TPM security client. */
import { toAzureTpmSecurityClient, toAzureTransport } from '@endorse/azure-compat';
import { ServiceError } from '@endorse/interface';
import { parseSasToken, verifySasSignature } from '@endorse/protocol';
import { assignedReply, assigningReply, createScriptedTransport, failedReply } from '@endorse/testkit';
import { ProvisioningDeviceClient } from 'azure-iot-provisioning-device';
import { describe, expect, it } from 'vitest';
import { registrationId, sessionKey, settle, symmetricKey, target } from './support/callback-parts.ts';
import { createFakeTpm } from './support/fake-tpm.ts';

const operationId = '5.316aac5bdc130deb.11111111-2222-4333-8444-555555555555';
const challenge = {
  call: 'getAuthenticationChallenge',
  answer: { reply: { activationBlob: Uint8Array.from(sessionKey), keyName: 'registration' } },
} as const;
const assigned = assignedReply(operationId, { registrationId, hubKey: Uint8Array.from(symmetricKey) });

function createClient(
  transport: ReturnType<typeof createScriptedTransport>,
  securityClient = createFakeTpm(),
) {
  return ProvisioningDeviceClient.create(
    target.provisioningHost,
    target.idScope,
    toAzureTransport(transport),
    toAzureTpmSecurityClient(securityClient),
  );
}

describe('the official client', () => {
  it('registers and leaves the hub key in our TPM', async () => {
    const tokens: string[] = [];
    const transport = createScriptedTransport([
      challenge,
      {
        call: 'register',
        answer: {
          run: ({ sasToken }) => {
            tokens.push(sasToken?.revealText() ?? '');
            return assigningReply(operationId, 0);
          },
        },
      },
      { call: 'queryOperationStatus', answer: { reply: assigned } },
    ]);
    const securityClient = createFakeTpm();
    const client = createClient(transport, securityClient);
    client.setProvisioningPayload({ site: 7 });
    const result = await client.register();
    transport.assertDone();
    expect(result).toMatchObject({
      operationId,
      status: 'assigned',
      registrationState: {
        assignedHub: 'hub.example.test',
        deviceId: registrationId,
        tpm: { authenticationKey: symmetricKey.toString('base64') },
      },
    });
    expect(securityClient.identityKeys.map((key) => Buffer.from(key))).toEqual([sessionKey, symmetricKey]);
    expect(verifySasSignature(parseSasToken(tokens[0] ?? ''), sessionKey)).toBe(true);
    expect(transport.calls[2]).toMatchObject({
      call: 'register',
      request: { registrationInfo: { registrationId, payload: { site: 7 } } },
    });
    expect(transport.calls.at(-1)).toMatchObject({ call: 'close' });
  });

  it('registers with its callback, which is called once', async () => {
    const transport = createScriptedTransport([challenge, { call: 'register', answer: { reply: assigned } }]);
    const calls: unknown[] = [];
    await new Promise<void>((resolve) => {
      void createClient(transport).register((error, result) => {
        calls.push([error, result?.['registrationState']]);
        resolve();
      });
    });
    await settle();
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatchObject([null, { deviceId: registrationId }]);
  });

  it.each(['getAuthenticationChallenge', 'register'] as const)('gets our very error of %s', async (call) => {
    const error = new ServiceError('no', { status: 404 });
    const script = call === 'register' ? [challenge] : [];
    const transport = createScriptedTransport([...script, { call, answer: { error } }]);
    expect(await Promise.resolve(createClient(transport).register()).catch((reason: unknown) => reason)).toBe(
      error,
    );
  });

  it('reads a failed allocation as it does over its own transports', async () => {
    const transport = createScriptedTransport([
      challenge,
      { call: 'register', answer: { reply: failedReply(operationId, 400_207, 'the webhook said no') } },
    ]);
    await expect(createClient(transport).register()).rejects.toMatchObject({
      message: 'registration failed',
      result: { registrationState: { errorCode: 400_207, errorMessage: 'the webhook said no' } },
    });
  });

  it("gets our TPM's very error", async () => {
    const error = new Error('the TPM refused the key');
    const securityClient = createFakeTpm();
    securityClient.activateIdentityKey = () => Promise.reject(error);
    const transport = createScriptedTransport([challenge]);
    const registering = Promise.resolve(createClient(transport, securityClient).register());
    expect(await registering.catch((reason: unknown) => reason)).toBe(error);
  });
});
