/** Our identities with a key or a certificate, and our transport, under the official `ProvisioningDeviceClient`, unmodified. */
import { createHmac } from 'node:crypto';
import {
  toAzureSymmetricKeySecurityClient,
  toAzureTpmSecurityClient,
  toAzureTransport,
  toAzureX509SecurityClient,
} from '@endorse/azure-compat';
import type {
  SymmetricKeySecurityClient,
  TokenIssuingSecurityClient,
  X509SecurityClient,
} from '@endorse/interface';
import { Secret } from '@endorse/interface';
import { VirtualClock } from '@endorse/interface/virtual-clock';
import { createSasToken, parseSasToken, verifySasSignature } from '@endorse/protocol';
import { assignedReply, assigningReply, createScriptedTransport } from '@endorse/testkit';
import { ProvisioningDeviceClient } from 'azure-iot-provisioning-device';
import { describe, expect, it } from 'vitest';
import { recordCallback, registrationId, target } from './support/callback-parts.ts';

const operationId = '5.316aac5bdc130deb.11111111-2222-4333-8444-555555555555';
const key = Uint8Array.from(Buffer.alloc(32, 'the key of the device'));
const resource = `${target.idScope}/registrations/${registrationId}`;
const sign = async (data: Uint8Array): Promise<Uint8Array> =>
  Uint8Array.from(createHmac('sha256', key).update(data).digest());

const signer: SymmetricKeySecurityClient = {
  specificationVersion: 'v1',
  kind: 'symmetric-key',
  getRegistrationId: async () => registrationId,
  signWithIdentity: sign,
};
const expiresAt = 1_700_000_000_000;
const issuer: TokenIssuingSecurityClient = {
  specificationVersion: 'v1',
  kind: 'symmetric-key',
  getRegistrationId: async () => registrationId,
  issueSasToken: async () => ({
    sasToken: await createSasToken({ resource, expiresAt, keyName: 'registration', sign }),
    expiresAt,
  }),
};
const holder: X509SecurityClient = {
  specificationVersion: 'v1',
  kind: 'x509',
  getRegistrationId: async () => registrationId,
  getCertificate: async () => ({ certificatePem: 'PEM', privateKeyPem: Secret.fromText('the key') }),
};

describe('toAzureSymmetricKeySecurityClient', () => {
  it.each([
    ['signs', signer],
    ['issues tokens', issuer],
  ])('registers an identity that %s with the official client', async (_what, securityClient) => {
    const tokens: string[] = [];
    const transport = createScriptedTransport([
      {
        call: 'register',
        answer: {
          run: ({ sasToken }) => {
            tokens.push(sasToken?.revealText() ?? '');
            return assigningReply(operationId, 0);
          },
        },
      },
      { call: 'queryOperationStatus', answer: { reply: assignedReply(operationId, { registrationId }) } },
    ]);
    const client = ProvisioningDeviceClient.create(
      target.provisioningHost,
      target.idScope,
      toAzureTransport(transport),
      toAzureSymmetricKeySecurityClient(securityClient),
    );
    expect(await client.register()).toMatchObject({ assignedHub: 'hub.example.test', status: 'assigned' });
    transport.assertDone();
    expect(transport.calls[0]).toMatchObject({ call: 'openSession', attestation: { kind: 'symmetric-key' } });
    const token = parseSasToken(tokens[0] ?? '');
    expect(token.resource).toBe(resource);
    expect(verifySasSignature(token, key)).toBe(true);
  });

  it('makes a token of an hour, with the fields of theirs', async () => {
    const clock = new VirtualClock(expiresAt);
    const theirs = toAzureSymmetricKeySecurityClient(signer, { clock });
    const token = await theirs.createSharedAccessSignature(target.idScope);
    if (token === undefined) throw new Error('gave no promise');
    const { sr, sig, se, skn } = token;
    expect({ sr, se, skn }).toEqual({
      sr: encodeURIComponent(resource),
      se: expiresAt / 1000 + 3600,
      skn: 'registration',
    });
    expect(String(token)).toBe(`SharedAccessSignature sr=${sr}&sig=${sig}&se=${se}&skn=${skn}`);
  });

  it('calls back once, or returns a promise', async () => {
    const theirs = toAzureSymmetricKeySecurityClient(issuer);
    expect(await theirs.getRegistrationId()).toBe(registrationId);
    const recorded = recordCallback<string>();
    expect(theirs.getRegistrationId(recorded.callback)).toBeUndefined();
    expect(await recorded.called).toEqual({ error: null, value: registrationId });
    expect(recorded.calls).toHaveLength(1);
  });

  it('gives our very error to callback and promise', async () => {
    const error = new Error('the key is gone');
    const broken = { ...signer, signWithIdentity: () => Promise.reject(error) };
    const theirs = toAzureSymmetricKeySecurityClient(broken);
    await expect(theirs.createSharedAccessSignature('0ne1')).rejects.toBe(error);
    const recorded = recordCallback();
    void theirs.createSharedAccessSignature('0ne1', recorded.callback);
    expect((await recorded.called).error).toBe(error);
  });
});

describe('toAzureX509SecurityClient', () => {
  it('hands over certificate and key, and knows its registration id', async () => {
    const theirs = await toAzureX509SecurityClient(holder);
    expect(theirs.getRegistrationId()).toBe(registrationId);
    const recorded = recordCallback();
    theirs.getCertificate(recorded.callback);
    expect(await recorded.called).toEqual({ error: null, value: { cert: 'PEM', key: 'the key' } });
  });

  it('gives our very errors', async () => {
    const error = new Error('expired');
    const expired = { ...holder, getCertificate: () => Promise.reject(error) };
    const recorded = recordCallback();
    (await toAzureX509SecurityClient(expired)).getCertificate(recorded.callback);
    expect((await recorded.called).error).toBe(error);
    const nameless = { ...holder, getRegistrationId: () => Promise.reject(error) };
    await expect(toAzureX509SecurityClient(nameless)).rejects.toBe(error);
  });
});

it('each takes the security clients of its kind only', async () => {
  const refusal = expect.objectContaining({
    code: 'ERR_INVALID_ARGUMENT',
    argument: 'securityClient',
  }) as Error;
  expect(() => toAzureTpmSecurityClient(holder as never)).toThrow(refusal);
  expect(() => toAzureSymmetricKeySecurityClient(holder as never)).toThrow(refusal);
  await expect(toAzureX509SecurityClient(signer as never)).rejects.toEqual(refusal);
  expect(() => toAzureTpmSecurityClient({} as never)).toThrow(refusal);
});
