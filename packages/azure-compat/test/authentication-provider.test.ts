/** The contract of `AuthenticationProvider` in azure-iot-common 1.13, as its transports use it. */
import { toAzureAuthenticationProvider } from '@endorse/azure-compat';
import type { AzureDeviceCredentials } from '@endorse/azure-compat';
import type { HubToken, HubTokenProvider } from '@endorse/interface';
import { Secret } from '@endorse/interface';
import { VirtualClock } from '@endorse/interface/virtual-clock';
import { describe, expect, test } from 'vitest';

const lifeMs = 3_600_000;
const hubHost = 'hub.example';
const deviceId = 'pump-7';

/** Renews in the last 15 % of a token's life, as the provider of security-tpm does. */
function tokensOf(
  clock: VirtualClock,
  fail: () => boolean = () => false,
): HubTokenProvider & { signed: number } {
  let token: HubToken | undefined;
  return {
    signed: 0,
    async getToken() {
      if (fail()) throw new Error('the TPM is busy');
      if (token === undefined || token.expiresAt - clock.now() < lifeMs * 0.15) {
        this.signed += 1;
        token = { sasToken: Secret.fromText(`token ${this.signed}`), expiresAt: clock.now() + lifeMs };
      }
      return token;
    },
  };
}

describe('toAzureAuthenticationProvider', () => {
  test('hands out credentials as a promise and to a callback', async () => {
    const clock = new VirtualClock(0);
    const provider = toAzureAuthenticationProvider({ tokens: tokensOf(clock), hubHost, deviceId, clock });
    const expected = { host: hubHost, deviceId, sharedAccessSignature: 'token 1' };
    expect(provider.type).toBe(1);
    expect(await provider.getDeviceCredentials()).toEqual(expected);
    const called = await new Promise((resolve) => {
      provider.getDeviceCredentials((error, credentials) => resolve({ error, credentials }));
    });
    expect(called).toEqual({ error: null, credentials: expected });
    provider.stop();
  });

  test('announces a new token before the old one expires, and ends with stop', async () => {
    const clock = new VirtualClock(0);
    const tokens = tokensOf(clock);
    const provider = toAzureAuthenticationProvider({ tokens, hubHost, deviceId, moduleId: 'm', clock });
    const announced: AzureDeviceCredentials[] = [];
    provider.on('newTokenAvailable', (credentials: AzureDeviceCredentials) => announced.push(credentials));
    await provider.getDeviceCredentials();
    await clock.advance(lifeMs * 0.8);
    expect(announced).toEqual([]);
    await clock.advance(lifeMs * 0.1);
    await expect
      .poll(() => announced)
      .toEqual([{ host: hubHost, deviceId, moduleId: 'm', sharedAccessSignature: 'token 2' }]);
    provider.stop();
    await expect.poll(() => clock.pendingSleeps).toBe(0);
    await clock.advance(10 * lifeMs);
    expect(tokens.signed).toBe(2);
  });

  test('asks again when a renewal fails, and tells who listens', async () => {
    const clock = new VirtualClock(0);
    let failing = false;
    const tokens = tokensOf(clock, () => failing);
    const provider = toAzureAuthenticationProvider({ tokens, hubHost, deviceId, clock });
    const errors: unknown[] = [];
    let announced = 0;
    provider.on('error', (error: unknown) => errors.push(error));
    provider.on('newTokenAvailable', () => (announced += 1));
    await provider.getDeviceCredentials();
    failing = true;
    await clock.advance(lifeMs * 0.9);
    await expect.poll(() => errors.length).toBe(1);
    failing = false;
    await clock.advance(lifeMs * 0.05);
    await expect.poll(() => announced).toBe(1);
    provider.stop();
  });

  test('passes the failure of the first token on, and needs to know the hub', async () => {
    const clock = new VirtualClock(0);
    const tokens = tokensOf(clock, () => true);
    const provider = toAzureAuthenticationProvider({ tokens, hubHost, deviceId, clock });
    await expect(provider.getDeviceCredentials()).rejects.toThrow('the TPM is busy');
    expect(() => toAzureAuthenticationProvider({ tokens, hubHost: '', deviceId })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }),
    );
  });
});
