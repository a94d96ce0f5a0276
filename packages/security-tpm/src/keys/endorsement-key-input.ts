import { recognizeEndorsementKey } from '@endorse/tpm2';
import type { PublicArea } from '@endorse/tpm2';

/** An endorsement key in any form people have it: a public area, or what `recognizeEndorsementKey` takes. */
export type EndorsementKeyInput = PublicArea | Uint8Array | string;

/** The public area of an endorsement key. Throws `ERR_TPM_MALFORMED` for what is none. */
export function endorsementKeyArea(input: EndorsementKeyInput): PublicArea {
  return typeof input === 'string' || input instanceof Uint8Array
    ? recognizeEndorsementKey(input).area
    : input;
}
