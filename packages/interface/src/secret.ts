import { createHash } from 'node:crypto';
import { InvalidArgumentError, LocalProtocolError } from './errors.ts';

/**
 * A value that must not appear in a log: a SAS token, a key, a password.
 *
 * Printing, inspecting or serialising it shows only its length and the first
 * eight hex digits of its SHA-256, enough to tell two secrets apart.
 */
export class Secret {
  #bytes: Uint8Array | undefined;
  /** Length in bytes; known even after {@link Secret.dispose}. */
  readonly byteLength: number;
  /** First 8 hex digits of the SHA-256 of the value; known even after {@link Secret.dispose}. */
  declare readonly fingerprint: string;
  #fingerprint: string | undefined;

  private constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.byteLength = bytes.byteLength;
    // Most secrets are never shown, and hashing costs more than anything else that is done with a short one. A
    // property of its own all the same, so that tests which compare secrets tell them apart.
    Object.defineProperty(this, 'fingerprint', { get: () => this.#hash(), enumerable: true });
  }

  /** Wraps a copy of raw bytes. Throws `ERR_INVALID_ARGUMENT` when it is not a `Uint8Array`. */
  static fromBytes(bytes: Uint8Array): Secret {
    if (!(bytes instanceof Uint8Array)) {
      throw new InvalidArgumentError('bytes', 'must be a Uint8Array');
    }
    return new Secret(Uint8Array.from(bytes));
  }

  /** Wraps text, as UTF-8. Throws `ERR_INVALID_ARGUMENT` when it is not a string. */
  static fromText(text: string): Secret {
    if (typeof text !== 'string') throw new InvalidArgumentError('text', 'must be a string');
    return new Secret(new TextEncoder().encode(text));
  }

  /** Wraps what base64 text stands for. Throws `ERR_INVALID_ARGUMENT` for anything but canonical base64. */
  static fromBase64(text: string): Secret {
    const bytes = typeof text === 'string' ? Buffer.from(text, 'base64') : undefined;
    if (
      bytes === undefined ||
      bytes.toString('base64').replace(/=+$/, '') !== text.trim().replace(/=+$/, '')
    ) {
      throw new InvalidArgumentError('text', 'must be base64');
    }
    return new Secret(Uint8Array.from(bytes));
  }

  /** The value as bytes, a fresh copy that the caller should zero. Throws `ERR_LOCAL_STATE` after {@link Secret.dispose}. */
  reveal(): Uint8Array {
    if (this.#bytes === undefined) {
      throw new LocalProtocolError('ERR_LOCAL_STATE', 'secret was disposed of', { state: 'disposed' });
    }
    return Uint8Array.from(this.#bytes);
  }

  /** The value as UTF-8 text. Throws `ERR_LOCAL_STATE` after {@link Secret.dispose}. */
  revealText(): string {
    if (this.#bytes === undefined) {
      throw new LocalProtocolError('ERR_LOCAL_STATE', 'secret was disposed of', { state: 'disposed' });
    }
    return new TextDecoder().decode(this.#bytes);
  }

  /** Overwrites the value with zeros; harmless when repeated. */
  dispose(): void {
    // Taken while there is something to take it of.
    this.#hash();
    this.#bytes?.fill(0);
    this.#bytes = undefined;
  }

  #hash(): string {
    this.#fingerprint ??= createHash('sha256')
      .update(this.#bytes ?? new Uint8Array())
      .digest('hex')
      .slice(0, 8);
    return this.#fingerprint;
  }

  /** `[Secret 32 bytes, sha256 1a2b3c4d…]`. */
  toString(): string {
    return `[Secret ${this.byteLength} bytes, sha256 ${this.fingerprint}…]`;
  }

  /** The same text as {@link Secret.toString}, so that JSON never holds the value. */
  toJSON(): string {
    return this.toString();
  }
}
