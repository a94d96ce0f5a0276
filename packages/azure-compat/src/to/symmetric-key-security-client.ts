import type {
  Clock,
  Secret,
  SymmetricKeySecurityClient,
  TokenIssuingSecurityClient,
} from '@endorse/interface';
import { systemClock } from '@endorse/interface/node';
import { createSasToken, parseSasToken, registrationKeyName, registrationResource } from '@endorse/protocol';
import type { AzureSharedAccessSignature, AzureSymmetricKeySecurityClient } from '../azure-types.ts';
import { dual } from '../callbacks.ts';
import { requireClient } from './require-client.ts';

/** Life of a token, as the official client chooses it. */
const tokenLifetimeMs = 3_600_000;

/**
 * Gives the official `ProvisioningDeviceClient` one of our identities with a shared key, whether it signs or issues
 * tokens. Tokens hold for an hour, or as long as their issuer likes. With a callback it is called exactly once; without
 * one there is a promise. `Token` is `SharedAccessSignature` of the official SDK, where its class is asked for; what
 * there is are its four fields and `toString()`.
 *
 * Throws `ERR_INVALID_ARGUMENT` for anything but such a security client.
 */
export function toAzureSymmetricKeySecurityClient<Token = AzureSharedAccessSignature>(
  securityClient: SymmetricKeySecurityClient | TokenIssuingSecurityClient,
  { clock = systemClock }: { readonly clock?: Clock | undefined } = {},
): AzureSymmetricKeySecurityClient<Error, Token> {
  requireClient(securityClient, 'symmetric-key');
  return {
    getRegistrationId: (callback) => dual(() => securityClient.getRegistrationId(), callback),
    createSharedAccessSignature: (idScope, callback) =>
      dual(async () => describeToken(await makeToken(idScope)) as Token, callback),
  };

  async function makeToken(idScope: string): Promise<Secret> {
    if ('issueSasToken' in securityClient) return (await securityClient.issueSasToken(idScope)).sasToken;
    return createSasToken({
      resource: registrationResource(idScope, await securityClient.getRegistrationId()),
      expiresAt: clock.now() + tokenLifetimeMs,
      keyName: registrationKeyName,
      sign: (data) => securityClient.signWithIdentity(data),
    });
  }
}

/** Their transports take the text of a token, in the clear. */
function describeToken(sasToken: Secret): AzureSharedAccessSignature {
  const text = sasToken.revealText();
  sasToken.dispose();
  const { rawResource, signature, expiresAtSeconds, keyName = registrationKeyName } = parseSasToken(text);
  return {
    sr: rawResource,
    sig: encodeURIComponent(Buffer.from(signature).toString('base64')),
    se: expiresAtSeconds,
    skn: keyName,
    toString: () => text,
  };
}
