import type { AuthenticationChallenge } from '@endorse/interface';
import { RemoteProtocolError } from '@endorse/interface';
import { registrationKeyName } from '@endorse/protocol';

/** The challenge that a foreign transport called back with. Throws `ERR_REMOTE_UNEXPECTED` when it is none. */
export function toChallenge(value: unknown): AuthenticationChallenge {
  if (!(value instanceof Uint8Array) || value.byteLength === 0) {
    throw new RemoteProtocolError(
      'ERR_REMOTE_UNEXPECTED',
      'get challenge: the transport called back without a key',
      { evidence: { path: 'tpmChallenge' } },
    );
  }
  // Official transports drop the name of the key; it has only ever been this one.
  return { activationBlob: Uint8Array.from(value), keyName: registrationKeyName };
}
