import type { EccCurve } from './algorithms.ts';
import { TpmDecodeError } from './errors.ts';

/** One DER element: its tag and where its content lies. */
export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
  /** The whole element, header included. */
  readonly whole: Uint8Array;
}

/** Tags that this package reads. */
export const derTag = {
  integer: 0x02,
  bitString: 0x03,
  objectIdentifier: 0x06,
  sequence: 0x30,
  explicit0: 0xa0,
} as const;

/** An RSA public key taken out of DER. */
export interface DerRsaKey {
  readonly kind: 'rsa';
  /** Without leading zero bytes. */
  readonly modulus: Uint8Array;
  readonly exponent: number;
}

/** An EC public key taken out of DER: node:crypto reads the point. */
export interface DerEcKey {
  readonly kind: 'ec';
  readonly curveId: EccCurve | undefined;
}

/** The public key inside SubjectPublicKeyInfo. */
export type DerPublicKey = DerRsaKey | DerEcKey;

/**
 * Reads SubjectPublicKeyInfo (RFC 5280, 4.1.2.7). Own code, because OpenSSL refuses the RSAES-OAEP identifier
 * that some makers put into endorsement certificates. Throws `ERR_TPM_MALFORMED`.
 */
export function readSpki(spki: Uint8Array): DerPublicKey {
  const [algorithm, bits] = sequence(spki, 'SubjectPublicKeyInfo', 2);
  const [identifier, parameters] = children(
    expect(algorithm, derTag.sequence, 'algorithm').content,
    'algorithm',
  );
  const oid = hex(expect(identifier, derTag.objectIdentifier, 'algorithm.identifier').content);
  const { content } = expect(bits, derTag.bitString, 'subjectPublicKey');
  if (content[0] !== 0) fail('subjectPublicKey', 'has unused bits');
  if (oid === oidRsaEncryption || oid === oidRsaesOaep) return readRsaPublicKey(content.subarray(1));
  if (oid !== oidEcPublicKey) return fail('algorithm.identifier', 'is neither RSA nor an elliptic curve');
  return {
    kind: 'ec',
    curveId: parameters === undefined ? undefined : curveIdentifiers.get(hex(parameters.content)),
  };
}

/** Reads RSAPublicKey (RFC 8017, A.1.1). Throws `ERR_TPM_MALFORMED`. */
export function readRsaPublicKey(bytes: Uint8Array): DerRsaKey {
  const [modulus, exponent] = sequence(bytes, 'RSAPublicKey', 2).map((element) =>
    unsigned(expect(element, derTag.integer, 'RSAPublicKey')),
  );
  if (modulus === undefined || exponent === undefined || exponent.byteLength > 4) {
    return fail('RSAPublicKey.publicExponent', 'does not fit 32 bits');
  }
  return {
    kind: 'rsa',
    modulus: new Uint8Array(modulus),
    exponent: exponent.reduce((value, byte) => value * 256 + byte, 0),
  };
}

/**
 * Takes SubjectPublicKeyInfo out of an X.509 certificate (RFC 5280, 4.1), ignoring padding after it, which NV indices have.
 * Throws `ERR_TPM_MALFORMED`.
 */
export function spkiOfCertificate(certificate: Uint8Array): Uint8Array {
  const outer = expect(elementAt(certificate, 0, 'Certificate'), derTag.sequence, 'Certificate');
  const [tbs] = children(outer.content, 'Certificate');
  const fields = children(expect(tbs, derTag.sequence, 'tbsCertificate').content, 'tbsCertificate');
  // version (optional), serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo
  const spki = fields[fields[0]?.tag === derTag.explicit0 ? 6 : 5];
  return expect(spki, derTag.sequence, 'subjectPublicKeyInfo').whole;
}

/** The elements of a SEQUENCE that is the whole input and has at least so many. */
export function sequence(bytes: Uint8Array, structure: string, minimum: number): readonly DerElement[] {
  const outer = expect(elementAt(bytes, 0, structure), derTag.sequence, structure);
  if (outer.whole.byteLength !== bytes.byteLength) fail(structure, 'is followed by unexpected bytes');
  const elements = children(outer.content, structure);
  if (elements.length < minimum) fail(structure, `has fewer than ${minimum} elements`);
  return elements;
}

/** More elements than any structure here has; bounds the work on hostile input. */
const maxElements = 64;

const oidRsaEncryption = '2a864886f70d010101';
const oidRsaesOaep = '2a864886f70d010107';
const oidEcPublicKey = '2a8648ce3d0201';
const curveIdentifiers: ReadonlyMap<string, EccCurve> = new Map<string, EccCurve>([
  ['2a8648ce3d030107', 'nistP256'],
  ['2b81040022', 'nistP384'],
  ['2b81040023', 'nistP521'],
]);

function children(bytes: Uint8Array, structure: string): readonly DerElement[] {
  const elements: DerElement[] = [];
  for (let offset = 0; offset < bytes.byteLength;) {
    if (elements.length === maxElements) fail(structure, `has more than ${maxElements} elements`);
    const next = elementAt(bytes, offset, structure);
    elements.push(next);
    offset += next.whole.byteLength;
  }
  return elements;
}

function elementAt(bytes: Uint8Array, offset: number, structure: string): DerElement {
  const tag = bytes[offset];
  const first = bytes[offset + 1];
  if (tag === undefined || first === undefined) return fail(structure, 'is truncated');
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  // 0x80 is BER's indefinite length; nothing here needs more than four length bytes.
  if (first === 0x80 || lengthBytes > 4) return fail(structure, 'has a length that is not DER');
  const start = offset + 2 + lengthBytes;
  let length = lengthBytes === 0 ? first : 0;
  for (const byte of bytes.subarray(offset + 2, start)) length = length * 256 + byte;
  if (start + length > bytes.byteLength) return fail(structure, 'is truncated');
  return {
    tag,
    content: bytes.subarray(start, start + length),
    whole: bytes.subarray(offset, start + length),
  };
}

function expect(found: DerElement | undefined, tag: number, what: string): DerElement {
  if (found === undefined || found.tag !== tag)
    return fail(what, `is not an element of tag 0x${tag.toString(16)}`);
  return found;
}

function unsigned({ content }: DerElement): Uint8Array {
  if (content.byteLength === 0 || ((content[0] ?? 0) & 0x80) !== 0)
    return fail('RSAPublicKey', 'is negative');
  return content[0] === 0 ? content.subarray(1) : content;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function fail(path: string, problem: string): never {
  throw new TpmDecodeError(path, 0, problem);
}
