import type { Secret } from '@endorse/interface';

/** Holds the one token of a run; the old one is overwritten when a new one comes. */
export class TokenHolder {
  #token: Secret | undefined;

  /** The token; undefined for X.509, and while there is none. */
  get token(): Secret | undefined {
    return this.#token;
  }

  /** Takes a token over and disposes of the one before. */
  hold(token: Secret): void {
    this.forget();
    this.#token = token;
  }

  /** Overwrites the token; harmless when there is none. */
  forget(): void {
    this.#token?.dispose();
    this.#token = undefined;
  }
}
