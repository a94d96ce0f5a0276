import { CodeTable, maxDigestSize } from '../algorithms.ts';
import type { ByteReader } from '../bytes/byte-reader.ts';
import { readExactly } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import { sizedBytes } from '../bytes/bytes.ts';
import type { PublicArea } from './public-area.ts';
import { maxRsaKeyBytes } from './public-area.ts';

/** TPMT_SENSITIVE (Part 2, 12.3.2.4): the private part of an object. Every field is secret. */
export interface Sensitive {
  readonly sensitiveType: PublicArea['type'];
  /** Authorization value of the object; at most 64 bytes. */
  readonly authValue: Uint8Array;
  /** Seed of a storage key's children, or obfuscation of a symmetric or HMAC key. */
  readonly seedValue: Uint8Array;
  /** The key itself: one RSA prime, an ECC scalar, a symmetric or HMAC key. */
  readonly sensitive: Uint8Array;
}

/** TPMS_SENSITIVE_CREATE (Part 2, 11.1.16): what a caller gives along when a key is made. */
export interface SensitiveCreate {
  /** Authorization value of the new object; at most 64 bytes, zero bytes at its end do not count. */
  readonly userAuth: Uint8Array;
  /** Data to seal, or a symmetric key to use; empty when the TPM makes the key. */
  readonly data: Uint8Array;
}

const sensitiveTypes = new CodeTable<PublicArea['type']>('object type', [
  ['rsa', 0x0001],
  ['keyedHash', 0x0008],
  ['ecc', 0x0023],
  ['symcipher', 0x0025],
]);

/** Encodes TPMT_SENSITIVE. Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE`. */
export function encodeSensitive(sensitive: Sensitive): Uint8Array {
  const writer = new ByteWriter();
  sensitiveTypes.write(writer, sensitive.sensitiveType, 'sensitiveType');
  return writer
    .sized(sensitive.authValue, 'authValue', maxDigestSize)
    .sized(sensitive.seedValue, 'seedValue', maxDigestSize)
    .sized(sensitive.sensitive, 'sensitive', maxRsaKeyBytes)
    .finish();
}

/** Decodes TPMT_SENSITIVE; nothing may follow. Throws `ERR_TPM_MALFORMED`. */
export function decodeSensitive(bytes: Uint8Array): Sensitive {
  return readExactly(bytes, 'TPMT_SENSITIVE', readSensitive);
}

/** Reads TPMT_SENSITIVE. */
export function readSensitive(reader: ByteReader): Sensitive {
  return Object.freeze({
    sensitiveType: sensitiveTypes.read(reader, 'sensitiveType'),
    authValue: reader.sized('authValue', maxDigestSize),
    seedValue: reader.sized('seedValue', maxDigestSize),
    sensitive: reader.sized('sensitive', maxRsaKeyBytes),
  });
}

/** Encodes TPM2B_SENSITIVE_CREATE, its size included. */
export function encodeTpm2bSensitiveCreate(sensitive: SensitiveCreate, argument: string): Uint8Array {
  return sizedBytes(
    new ByteWriter()
      .sized(sensitive.userAuth, `${argument}.userAuth`, maxDigestSize)
      .sized(sensitive.data, `${argument}.data`)
      .finish(),
  );
}
