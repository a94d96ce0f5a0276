import type { X509SecurityClient, Transport } from '@endorse/interface';
import type { RegistrationDefaults } from './registration.ts';
import { Registration } from './registration.ts';

/** Registers a device whose identity is an X.509 certificate. */
export class X509Registration extends Registration<X509SecurityClient> {
  /**
   * Takes the host of the service, the ID scope, a transport and the identity; `defaults` hold for every run.
   * Throws `ERR_INVALID_ARGUMENT`, or `ERR_UNSUPPORTED_CAPABILITY` when the transport does not carry the kind.
   */
  constructor(
    provisioningHost: string,
    idScope: string,
    transport: Transport,
    securityClient: X509SecurityClient,
    defaults: RegistrationDefaults = {},
  ) {
    super('x509', provisioningHost, idScope, transport, securityClient, defaults);
  }
}
