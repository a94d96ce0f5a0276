import type { Secret } from '@endorse/interface';
import { malformed } from '../json/malformed.ts';
import { checkSaslInitialResponse } from './sasl-frame.ts';

/** The SASL mechanism of devices with a shared key. RFC 4616. */
export const saslPlain = 'PLAIN';

/** What a PLAIN client says about itself. */
export interface SaslPlainCredentials {
  /** For the provisioning service the link address, `{idScope}/registrations/{registrationId}`. */
  readonly username: string;
  /** The SAS token. A secret. */
  readonly password: string;
}

/** Writes the initial response of PLAIN, without an authorization identity. Throws `ERR_LOCAL_UNENCODABLE`. */
export function encodeSaslPlain(username: string, password: Secret): Uint8Array {
  const response = new TextEncoder().encode(`\0${username}\0${password.revealText()}`);
  return checkSaslInitialResponse(saslPlain, response);
}

/** Reads the initial response of PLAIN. Throws `ERR_REMOTE_MALFORMED`; no message shows the password. */
export function decodeSaslPlain(response: Uint8Array): SaslPlainCredentials {
  const parts = Buffer.from(response).toString('utf8').split('\0');
  const [, username = '', password = ''] = parts;
  if (parts.length === 3 && username !== '' && password !== '') return { username, password };
  throw malformed('SASL PLAIN response', 'initial-response', 'must be authzid, user name and password');
}
