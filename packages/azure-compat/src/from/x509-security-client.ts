import type { X509SecurityClient } from '@endorse/interface';
import type { AzureX509, AzureX509SecurityClient } from '../azure-types.ts';
import { fromAzureX509 } from '../certificate.ts';
import { requireMethods } from '../required-methods.ts';
import type { FromAzureSecurityClientOptions } from './security-calls.ts';
import { SecurityCalls } from './security-calls.ts';

/**
 * Turns an X.509 security client of the official SDK (or one written for it) into ours.
 *
 * Certificate and key are PEM, the key encrypted or not; one in an OpenSSL engine cannot be used. Calls are made one at
 * a time, are settled exactly once and end in `ERR_TIMEOUT` after a limit; errors are `AzureSecurityClientError`, the
 * original as their `cause`.
 *
 * Throws `ERR_INVALID_ARGUMENT` for an object without the methods.
 */
export function fromAzureX509SecurityClient(
  securityClient: AzureX509SecurityClient,
  options: FromAzureSecurityClientOptions = {},
): X509SecurityClient {
  requireMethods('securityClient', securityClient, ['getCertificate', 'getRegistrationId']);
  const calls = new SecurityCalls('x509', options);
  return {
    specificationVersion: 'v1',
    kind: 'x509',
    getRegistrationId: (given = {}) =>
      calls.registrationId((callback) => callback(null, securityClient.getRegistrationId()), given),
    getCertificate: (given = {}) =>
      calls.call(
        'getCertificate',
        (callback) => securityClient.getCertificate(callback),
        // `fromAzureX509` looks at all it reads.
        (value) => fromAzureX509(value as AzureX509),
        given,
      ),
  };
}
