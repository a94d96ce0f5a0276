import type { KeyObject } from 'node:crypto';
import {
  constants,
  createDecipheriv,
  createHash,
  createHmac,
  privateDecrypt,
  timingSafeEqual,
} from 'node:crypto';
import type { EndorseErrorOptions, ErrorFault } from '@endorse/interface';
import { EndorseError } from '@endorse/interface';
import type { SoftwareTpmKeys } from './software-tpm-keys.ts';

/** A blob that a TPM would refuse, with the response code it would give. */
export class SoftwareTpmError extends EndorseError {
  readonly fault: ErrorFault = 'tpm';
  readonly retryable = false;
  /** `ERR_TPM_` and the name of the response code. */
  readonly code: string;
  /** The command that refused. */
  readonly command: string;
  /** The response code. */
  readonly rc: number;

  constructor(name: string, command: string, rc: number, options: EndorseErrorOptions = {}) {
    super(`${command} failed: ${name} (0x${rc.toString(16)})`, options);
    this.code = `ERR_TPM_${name}`;
    this.command = command;
    this.rc = rc;
  }
}

/** Decrypts an activation blob with the private EK and SRK and returns the HMAC key inside. */
export function openActivation(keys: SoftwareTpmKeys, blob: Uint8Array): Uint8Array {
  const [idObject, encryptedSecret, duplicate, encryptedSeed, publicArea] = split(blob);
  const activate = 'ActivateCredential';
  const parentName = nameOf(keys.storageRootKey.subarray(2));
  const credentialSeed = oaep(keys.endorsementPrivateKey, 'IDENTITY\0', encryptedSecret, activate);
  const innerCredential = unseal(credentialSeed, idObject, parentName, () => {
    throw new SoftwareTpmError('INTEGRITY', activate, 0x1df);
  });
  const innerKey = innerCredential.subarray(2);

  const importing = 'Import';
  const fail = (): never => {
    throw new SoftwareTpmError('INTEGRITY', importing, 0x3df);
  };
  const objectName = nameOf(publicArea);
  const outerSeed = oaep(keys.storageRootPrivateKey, 'DUPLICATE\0', encryptedSeed, importing);
  const inner = aes(innerKey, unseal(outerSeed, duplicate, objectName, fail));
  const sensitive = inner.subarray(34);
  if (!same(inner.subarray(2, 34), sha256(sensitive, objectName))) fail();
  const obfuscation = sensitive.subarray(8, 40);
  const key = sensitive.subarray(42, 42 + sensitive.readUInt16BE(40));
  if (!same(sha256(obfuscation, key), publicArea.subarray(-32))) {
    throw new SoftwareTpmError('BINDING', 'Load', 0x2df);
  }
  return Uint8Array.from(key);
}

type Parts = readonly [Buffer, Buffer, Buffer, Buffer, Buffer, Buffer];

function split(blob: Uint8Array): Parts {
  const rest = Buffer.from(blob);
  const parts: Buffer[] = [];
  let offset = 0;
  for (let field = 0; field < 6; field += 1) {
    const end = offset + 2 <= rest.length ? offset + 2 + rest.readUInt16BE(offset) : Infinity;
    if (end > rest.length) throw new SoftwareTpmError('MALFORMED', 'ActivateCredential', 0x095);
    parts.push(rest.subarray(offset + 2, end));
    offset = end;
  }
  return parts as unknown as Parts;
}

/** Checks the HMAC in front of `sealed` (TPM2B digest, then ciphertext) and decrypts the rest. */
function unseal(seed: Buffer, sealed: Buffer, name: Buffer, fail: () => never): Buffer {
  const encrypted = sealed.subarray(34);
  const integrity = createHmac('sha256', kdfa(seed, 'INTEGRITY', Buffer.alloc(0), 256));
  if (!same(sealed.subarray(2, 34), integrity.update(encrypted).update(name).digest())) fail();
  return aes(kdfa(seed, 'STORAGE', name, 128), encrypted);
}

function oaep(key: KeyObject, label: string, encrypted: Buffer, command: string): Buffer {
  try {
    return privateDecrypt(
      {
        key,
        padding: constants.RSA_PKCS1_OAEP_PADDING,
        oaepHash: 'sha256',
        oaepLabel: Buffer.from(label, 'latin1'),
      },
      encrypted,
    );
  } catch (cause) {
    throw new SoftwareTpmError('FAILURE', command, 0x101, { cause });
  }
}

function kdfa(seed: Buffer, label: string, context: Buffer, bits: number): Buffer {
  const number = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  };
  const data = [number(1), Buffer.from(`${label}\0`, 'latin1'), context, number(bits)];
  return createHmac('sha256', seed)
    .update(Buffer.concat(data))
    .digest()
    .subarray(0, bits / 8);
}

function aes(key: Buffer, data: Buffer): Buffer {
  const decipher = createDecipheriv(`aes-${key.length * 8}-cfb`, key, Buffer.alloc(16));
  return Buffer.concat([decipher.update(data), decipher.final()]);
}

function nameOf(area: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from('000b', 'hex'), sha256(area)]);
}

function sha256(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function same(left: Uint8Array, right: Uint8Array): boolean {
  return left.byteLength === right.byteLength && timingSafeEqual(left, right);
}
