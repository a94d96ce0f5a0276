import type { Secret } from '@endorse/interface';

/** Shorter texts would hit words that are no secrets. */
const shortestSecret = 4;

/**
 * The last guard before anything is written or shown: takes known secrets out of text, wherever they came from.
 * No part of this package puts a secret into a message; peers might.
 */
export class Redactor {
  readonly #texts = new Set<string>();

  /** Begins with the given secrets; what is undefined is none. */
  constructor(secrets: readonly (Secret | undefined)[] = []) {
    for (const secret of secrets) this.add(secret);
  }

  /** Remembers a secret for as long as the redactor lives; as text, base64 and percent-encoded. */
  add(secret: Secret | undefined): void {
    if (secret === undefined) return;
    const bytes = secret.reveal();
    const text = secret.revealText();
    const forms = [
      text,
      JSON.stringify(text).slice(1, -1),
      Buffer.from(bytes).toString('base64'),
      encodeURIComponent(text),
    ];
    bytes.fill(0);
    for (const form of forms) if (form.length >= shortestSecret) this.#texts.add(form);
  }

  /** The text without secrets. */
  text(text: string): string {
    let redacted = text;
    for (const secret of this.#texts) {
      if (redacted.includes(secret)) redacted = redacted.replaceAll(secret, '[redacted]');
    }
    return redacted;
  }
}
