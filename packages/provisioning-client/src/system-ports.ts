/** The one place of this package that reaches for the real world. */
import { readFileSync } from 'node:fs';
import { systemClock } from '@endorse/interface/node';

export { systemClock };

/** The version of this package, from its manifest. */
export function readVersion(): string {
  // The same distance from src/ and from dist/.
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}
