import type { SymmetricKeySecurityClient, TokenIssuingSecurityClient, Transport } from '@endorse/interface';
import type { RegistrationDefaults } from './registration.ts';
import { Registration } from './registration.ts';

/** Registers a device whose identity is a symmetric key. */
export class SymmetricKeyRegistration extends Registration<
  SymmetricKeySecurityClient | TokenIssuingSecurityClient
> {
  /**
   * Takes the host of the service, the ID scope, a transport and the identity; `defaults` hold for every run.
   * Throws `ERR_INVALID_ARGUMENT`, or `ERR_UNSUPPORTED_CAPABILITY` when the transport does not carry the kind.
   */
  constructor(
    provisioningHost: string,
    idScope: string,
    transport: Transport,
    securityClient: SymmetricKeySecurityClient | TokenIssuingSecurityClient,
    defaults: RegistrationDefaults = {},
  ) {
    super('symmetric-key', provisioningHost, idScope, transport, securityClient, defaults);
  }
}
