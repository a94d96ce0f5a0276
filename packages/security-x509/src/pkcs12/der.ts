import { X509IdentityError } from '../errors.ts';

/** Tags that PKCS#12 uses (X.690, 8.1.2). */
export const derTag: {
  readonly integer: 0x02;
  readonly octetString: 0x04;
  readonly null: 0x05;
  readonly objectIdentifier: 0x06;
  readonly sequence: 0x30;
  /** Context-specific 0, primitive: an implicit OCTET STRING here. */
  readonly implicit0: 0x80;
  /** Context-specific 0, constructed: an explicit wrapper here. */
  readonly explicit0: 0xa0;
} = Object.freeze({
  integer: 0x02,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  sequence: 0x30,
  implicit0: 0x80,
  explicit0: 0xa0,
});

/**
 * Walks through the elements of DER: definite lengths only, nothing beyond its end.
 * Every method throws `ERR_X509_PKCS12_MALFORMED` when the bytes are something else.
 */
export class DerReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** True when no element is left. */
  get atEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }

  /** The tag of the next element; undefined at the end. */
  get nextTag(): number | undefined {
    return this.#bytes[this.#offset];
  }

  /** Contents of the next element, which must have the given tag. A view, not a copy. */
  read(tag: number): Uint8Array {
    if (this.nextTag !== tag) throw malformedPkcs12(`has no element ${formatTag(tag)} where one has to be`);
    this.#offset += 1;
    const length = this.#readLength();
    const end = this.#offset + length;
    if (end > this.#bytes.length) throw malformedPkcs12('ends in the middle of an element');
    const contents = this.#bytes.subarray(this.#offset, end);
    this.#offset = end;
    return contents;
  }

  /** The elements in the next element, which must have the given tag. */
  enter(tag: number = derTag.sequence): DerReader {
    return new DerReader(this.read(tag));
  }

  /** The next element as object identifier, in dotted form. */
  readObjectIdentifier(): string {
    const contents = this.read(derTag.objectIdentifier);
    const parts: number[] = [];
    let value = 0;
    for (const byte of contents) {
      value = value * 128 + (byte & 0x7f);
      if (!Number.isSafeInteger(value)) throw malformedPkcs12('has an object identifier without end');
      if ((byte & 0x80) !== 0) continue;
      parts.push(value);
      value = 0;
    }
    const [first] = parts;
    if (first === undefined || ((contents.at(-1) ?? 0) & 0x80) !== 0) {
      throw malformedPkcs12('has an object identifier that is cut off');
    }
    const root = Math.min(2, Math.floor(first / 40));
    return [root, first - root * 40, ...parts.slice(1)].join('.');
  }

  /** The next element as a number from 0 to 2³¹−1. */
  readSmallInteger(): number {
    const contents = this.read(derTag.integer);
    const value = contents.reduce((sum, byte) => sum * 256 + byte, 0);
    if (contents.length === 0 || contents.length > 5 || value > 0x7fffffff || (contents[0] ?? 0) >= 0x80) {
      throw malformedPkcs12('has a number that is out of range');
    }
    return value;
  }

  /** Throws unless every element was read. */
  end(): void {
    if (!this.atEnd) throw malformedPkcs12('has more elements than it should');
  }

  #readLength(): number {
    const first = this.#next();
    if (first < 0x80) return first;
    if (first === 0x80) {
      throw new X509IdentityError(
        'ERR_X509_PKCS12_UNSUPPORTED',
        'the PKCS#12 file is written in BER with indefinite lengths',
        { remedy: exportAgain },
      );
    }
    const count = first & 0x7f;
    // A file has at most 1 MiB, so that longer lengths cannot be meant.
    if (count > 4) throw malformedPkcs12('has an element that is too long');
    let length = 0;
    for (let index = 0; index < count; index += 1) length = length * 256 + this.#next();
    return length;
  }

  #next(): number {
    const byte = this.#bytes[this.#offset];
    if (byte === undefined) throw malformedPkcs12('ends in the middle of an element');
    this.#offset += 1;
    return byte;
  }
}

/** What turns any PKCS#12 file into one that is read here; OpenSSL 3 writes that by itself. */
export const exportAgain =
  'Export it again with OpenSSL 3: `openssl pkcs12 -legacy -in old.p12 -out all.pem`, then `openssl pkcs12 -export -in all.pem -out new.p12` without -legacy.';

/** The error for bytes that are not PKCS#12. */
export function malformedPkcs12(problem: string): X509IdentityError {
  return new X509IdentityError('ERR_X509_PKCS12_MALFORMED', `the PKCS#12 file ${problem}`, {
    remedy:
      'Check that it is the file that was exported (.p12, .pfx); `openssl pkcs12 -info` has to read it.',
  });
}

function formatTag(tag: number): string {
  return `0x${tag.toString(16).padStart(2, '0')}`;
}
