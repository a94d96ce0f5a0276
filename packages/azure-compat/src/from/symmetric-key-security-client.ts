import type { IssuedSasToken, TokenIssuingSecurityClient } from '@endorse/interface';
import { Secret } from '@endorse/interface';
import { parseSasToken, validateIdScope } from '@endorse/protocol';
import type { AzureSymmetricKeySecurityClient } from '../azure-types.ts';
import { requireMethods } from '../required-methods.ts';
import type { FromAzureSecurityClientOptions } from './security-calls.ts';
import { SecurityCalls } from './security-calls.ts';

/**
 * Turns a symmetric-key security client of the official SDK (or one written for it) into ours: an issuer of tokens,
 * because theirs makes finished ones and signs nothing else. Its key stays where it is.
 *
 * Its methods may call back or return a promise. Calls are made one at a time, are settled exactly once and end in
 * `ERR_TIMEOUT` after a limit; errors are `AzureSecurityClientError`, the original as their `cause`.
 *
 * Throws `ERR_INVALID_ARGUMENT` for an object without the methods.
 */
export function fromAzureSymmetricKeySecurityClient(
  securityClient: AzureSymmetricKeySecurityClient,
  options: FromAzureSecurityClientOptions = {},
): TokenIssuingSecurityClient {
  requireMethods('securityClient', securityClient, ['getRegistrationId', 'createSharedAccessSignature']);
  const calls = new SecurityCalls('symmetric-key', options);
  return {
    specificationVersion: 'v1',
    kind: 'symmetric-key',
    getRegistrationId: (given = {}) =>
      calls.registrationId((callback) => securityClient.getRegistrationId(callback), given),
    async issueSasToken(idScope, given = {}) {
      validateIdScope(idScope);
      return calls.call(
        'createSharedAccessSignature',
        (callback) => securityClient.createSharedAccessSignature(idScope, callback),
        readToken,
        given,
      );
    },
  };

  function readToken(value: unknown): IssuedSasToken {
    try {
      const text = String(value);
      const expiresAt = parseSasToken(text).expiresAtSeconds * 1000;
      return { sasToken: Secret.fromText(text), expiresAt };
    } catch {
      // The reason would be about a value that may be secret.
      throw calls.unusable('createSharedAccessSignature', 'gave no SAS token');
    }
  }
}
