/**
 * Recognises an endorsement key in whatever form people have it, and converts it to the one the service takes.
 *
 * SPKI, PKCS #1 and certificates carry the key, but not the rest of the public area; it is then taken from the TCG
 * template, which made practically every RSA-2048 and P-256 endorsement key.
 */
import { createPublicKey } from 'node:crypto';
import { requireBytes } from './bytes/bytes.ts';
import type { DerPublicKey } from './der.ts';
import { readRsaPublicKey, readSpki, spkiOfCertificate } from './der.ts';
import { TpmDecodeError } from './errors.ts';
import { readLegacyStruct } from './legacy-struct.ts';
import { publicKeyFromArea } from './public-key.ts';
import type { PublicArea } from './structures/public-area.ts';
import { decodePublic, decodeTpm2bPublic, encodeTpm2bPublic } from './structures/public-area.ts';
import { ekTemplateEccP256, ekTemplateRsa2048 } from './templates.ts';

/** The form in which an endorsement key was given. A `base64-` form is text around the rest of its name. */
export type EndorsementKeyForm =
  | EndorsementKeyBinaryForm
  | `base64-${EndorsementKeyBinaryForm}`
  | 'spki-pem'
  | 'pkcs1-pem'
  | 'x509-pem';

/**
 * Binary forms: TPM2B_PUBLIC, TPMT_PUBLIC, SubjectPublicKeyInfo, RSAPublicKey, X.509 certificate, and the memory of a C
 * structure as tpm2-tools wrote it before version 4.
 */
export type EndorsementKeyBinaryForm =
  | 'tpm2b'
  | 'tpmt'
  | 'spki-der'
  | 'pkcs1-der'
  | 'x509-der'
  | 'tpm2-tools-struct';

/** An endorsement key that was recognised. */
export interface RecognizedEndorsementKey {
  readonly area: PublicArea;
  /** TPM2B_PUBLIC, size included: what enrollments and registration ids are made of. */
  readonly tpm2bPublic: Uint8Array;
  readonly form: EndorsementKeyForm;
  /** True when the input had no public area and the TCG template was filled in. */
  readonly templateAssumed: boolean;
}

/** The largest input that is looked at, in bytes or characters: a certificate chain in PEM is far below. */
const maxInputLength = 65_536;

/**
 * Recognises an endorsement key: TPM2B_PUBLIC, TPMT_PUBLIC, SPKI, PKCS #1 or X.509 as bytes, as base64 (line breaks
 * and a missing `=` do not matter) or as PEM (the first block counts), and the C structure of old tpm2-tools.
 * Takes the content of a file or text. Throws `ERR_TPM_MALFORMED` for anything else, for keys that are neither RSA nor
 * ECC, and for SPKI and certificates of a size or curve for which there is no template.
 */
export function recognizeEndorsementKey(input: Uint8Array | string): RecognizedEndorsementKey {
  if (typeof input !== 'string') requireBytes('input', input);
  if (input.length > maxInputLength) return fail(`has more than ${maxInputLength} bytes`);
  const text = typeof input === 'string' ? input.trim() : asciiText(input);
  if (text === undefined) return recognizeBinary(input as Uint8Array);
  if (text.startsWith('-----BEGIN ')) return recognizePem(text);
  const { area, form, templateAssumed } = recognizeBinary(decodeBase64(text));
  return recognized(area, `base64-${form}`, templateAssumed);
}

/**
 * The public area of an endorsement key from its SubjectPublicKeyInfo, by the TCG template for RSA-2048 or P-256.
 * Throws `ERR_TPM_MALFORMED` for other keys.
 */
export function publicAreaFromSpki(spki: Uint8Array): PublicArea {
  requireBytes('spki', spki);
  return areaOf(readSpki(spki), spki);
}

interface BinaryRecognition extends RecognizedEndorsementKey {
  readonly form: EndorsementKeyBinaryForm;
}

function recognizeBinary(bytes: Uint8Array): BinaryRecognition {
  const first = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0);
  if (bytes[0] === sequenceTag && bytes.byteLength > 2) return recognizeDer(bytes);
  if (first === bytes.byteLength - 2) return recognized(decodeTpm2bPublic(bytes), 'tpm2b', false);
  if (first === objectTypeRsa || first === objectTypeEcc)
    return recognized(decodePublic(bytes), 'tpmt', false);
  const legacy = readLegacyStruct(bytes);
  if (legacy !== undefined) return recognized(legacy, 'tpm2-tools-struct', false);
  return fail('is no TPM2B_PUBLIC, TPMT_PUBLIC, SPKI or certificate');
}

function recognizeDer(bytes: Uint8Array): BinaryRecognition {
  const attempts: readonly (readonly [EndorsementKeyBinaryForm, () => PublicArea])[] = [
    ['spki-der', () => areaOf(readSpki(bytes), bytes)],
    ['x509-der', () => publicAreaFromSpki(spkiOfCertificate(bytes))],
    ['pkcs1-der', () => areaOf(readRsaPublicKey(bytes), bytes)],
  ];
  for (const [form, read] of attempts) {
    try {
      return recognized(read(), form, true);
    } catch (error) {
      // A key that was found but is of no use is the answer; a structure that does not fit leaves the next one to try.
      if (!(error instanceof TpmDecodeError) || error.path === rootPath) throw error;
    }
  }
  return fail('is DER, but no SPKI, RSAPublicKey or certificate');
}

function recognizePem(text: string): RecognizedEndorsementKey {
  const block = /^-----BEGIN ([A-Z0-9 ]{1,40})-----([^-]*)-----END \1-----/.exec(text);
  if (block === null) return fail('is PEM without an end');
  const [, label = '', body = ''] = block;
  const der = decodeBase64(body);
  switch (label) {
    case 'PUBLIC KEY':
      return recognized(publicAreaFromSpki(der), 'spki-pem', true);
    case 'RSA PUBLIC KEY':
      return recognized(areaOf(readRsaPublicKey(der), der), 'pkcs1-pem', true);
    case 'CERTIFICATE':
      return recognized(publicAreaFromSpki(spkiOfCertificate(der)), 'x509-pem', true);
    default:
      return fail(`is PEM of another kind (${label})`);
  }
}

function recognized<Form extends EndorsementKeyForm>(
  area: PublicArea,
  form: Form,
  templateAssumed: boolean,
): RecognizedEndorsementKey & { readonly form: Form } {
  if (area.type !== 'rsa' && area.type !== 'ecc')
    return fail(`is a ${area.type} object, not an RSA or ECC key`);
  return Object.freeze({ area, tpm2bPublic: encodeTpm2bPublic(area), form, templateAssumed });
}

/** Fills a key into the template for it. */
function areaOf(key: DerPublicKey, spki: Uint8Array): PublicArea {
  const area = key.kind === 'rsa' ? rsaArea(key) : eccArea(key, spki);
  try {
    publicKeyFromArea(area);
  } catch (cause) {
    return fail('holds no usable public key', cause);
  }
  return Object.freeze(area);
}

function rsaArea(key: Extract<DerPublicKey, { kind: 'rsa' }>): PublicArea {
  const { modulus, exponent } = key;
  const bits = modulus.byteLength * 8;
  if (bits !== 2048) {
    return fail(`is an RSA-${bits} key, for which there is no template; give its TPM2B_PUBLIC`);
  }
  return { ...ekTemplateRsa2048, exponent: exponent === 65_537 ? 0 : exponent, unique: modulus };
}

function eccArea(key: Extract<DerPublicKey, { kind: 'ec' }>, spki: Uint8Array): PublicArea {
  if (key.curveId !== 'nistP256') {
    return fail(
      `is on ${key.curveId ?? 'another curve'}, for which there is no template; give its TPM2B_PUBLIC`,
    );
  }
  try {
    // OpenSSL decompresses the point and checks that it is on the curve.
    const jwk = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' }).export({
      format: 'jwk',
    });
    const coordinate = (text = ''): Uint8Array => new Uint8Array(Buffer.from(text, 'base64url'));
    return { ...ekTemplateEccP256, unique: Object.freeze({ x: coordinate(jwk.x), y: coordinate(jwk.y) }) };
  } catch (cause) {
    return fail('holds no point of its curve', cause);
  }
}

/** The bytes as trimmed text when they are nothing but printable ASCII and white space. */
function asciiText(bytes: Uint8Array): string | undefined {
  const isText =
    bytes.byteLength > 0 && bytes.every((byte) => (byte >= 0x20 && byte < 0x7f) || isLineSpace(byte));
  return isText ? Buffer.from(bytes).toString('latin1').trim() : undefined;
}

function isLineSpace(byte: number): boolean {
  return byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

function decodeBase64(text: string): Uint8Array {
  const compact = text.replace(/\s+/g, '');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(compact)) return fail('is neither PEM nor base64');
  return new Uint8Array(Buffer.from(compact, 'base64'));
}

const rootPath = 'endorsementKey';
const sequenceTag = 0x30;
const objectTypeRsa = 0x0001;
const objectTypeEcc = 0x0023;

function fail(problem: string, cause?: unknown): never {
  throw new TpmDecodeError(rootPath, 0, problem, cause === undefined ? {} : { cause });
}
