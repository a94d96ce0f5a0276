/** A SAS token of a device with a symmetric key, made with `node:crypto` alone: for the clients that are the floor. */
import { createHmac } from 'node:crypto';

export function createToken() {
  const { ENDORSE_ID_SCOPE, ENDORSE_REGISTRATION_ID, ENDORSE_SYMMETRIC_KEY } = process.env;
  const resource = encodeURIComponent(`${ENDORSE_ID_SCOPE}/registrations/${ENDORSE_REGISTRATION_ID}`);
  const expiry = Math.ceil(Date.now() / 1000) + 3600;
  const signature = createHmac('sha256', Buffer.from(ENDORSE_SYMMETRIC_KEY, 'base64'))
    .update(`${resource}\n${expiry}`)
    .digest('base64');
  return `SharedAccessSignature sr=${resource}&sig=${encodeURIComponent(signature)}&se=${expiry}&skn=registration`;
}
