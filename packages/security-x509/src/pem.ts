import { X509IdentityError } from './errors.ts';

/** One `-----BEGIN …-----` block. */
export interface PemBlock {
  /** For example `CERTIFICATE`. */
  readonly label: string;
  /** The whole block, both markers included. */
  readonly text: string;
}

/** Longest PEM text that is looked at, in characters: far more than any chain has. */
export const maxPemLength = 1_048_576;

/**
 * Lists the blocks of a PEM text (RFC 7468); what stands between them, such as the output of
 * `openssl x509 -text`, is skipped. Throws `ERR_X509_NOT_PEM` when there is none or one does not end.
 * `title` says in messages what the text is.
 */
export function readPemBlocks(text: string, title: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  for (let begin = text.indexOf(beginMarker); begin !== -1;) {
    const labelEnd = text.indexOf(dashes, begin + beginMarker.length);
    const label = text.slice(begin + beginMarker.length, Math.max(labelEnd, begin));
    const endMarker = `-----END ${label}-----`;
    const end = labelEnd === -1 ? -1 : text.indexOf(endMarker, labelEnd);
    if (end === -1) throw notPem(`${title} has a PEM block that does not end`);
    blocks.push({ label, text: text.slice(begin, end + endMarker.length) });
    begin = text.indexOf(beginMarker, end + endMarker.length);
  }
  if (blocks.length === 0) throw notPem(`${title} is not PEM`);
  return blocks;
}

const beginMarker = '-----BEGIN ';
const dashes = '-----';

function notPem(message: string): X509IdentityError {
  return new X509IdentityError('ERR_X509_NOT_PEM', message, {
    remedy:
      'Convert DER with `openssl x509 -inform DER` or `openssl pkey -inform DER`, and give PKCS#12 (.p12, .pfx) as pkcs12File.',
  });
}
