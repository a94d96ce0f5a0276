import { styleText } from 'node:util';

/** The few looks the program uses. */
export type Look = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** Gives text a look, or leaves it alone. */
export type Style = (look: Look, text: string) => string;

/** Leaves text alone. */
export const plainStyle: Style = (_look, text) => text;

/** Gives looks with ANSI sequences. */
export const colorStyle: Style = (look, text) => styleText(look, text, { validateStream: false });

/**
 * Decides for a stream. `NO_COLOR` (not empty) wins, then `FORCE_COLOR`, then whether it is a terminal that is not
 * `dumb`. https://no-color.org, https://force-color.org
 */
export function chooseStyle(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): Style {
  if ((env['NO_COLOR'] ?? '') !== '') return plainStyle;
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) return forced === '0' || forced === 'false' ? plainStyle : colorStyle;
  return isTerminal && env['TERM'] !== 'dumb' ? colorStyle : plainStyle;
}
