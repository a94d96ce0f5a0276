/** The declarations of our form of tss.js: its own, with what {@link ./patches.ts} changes, and our base classes. */
import { join } from 'node:path';
import { licenseComment } from './bundle.ts';
import { applyEdits, declarationEdits, readLines } from './patches.ts';

/** What the generated commands need of the class that extends them. */
const generatedBase = `
import type { EndorseError } from '@endorse/interface';
import type { TpmBuffer } from './TpmMarshaller.mjs';
import type { ReqStructure, RespStructure } from './TpmStructure.mjs';
/** What every command is built on. */
export declare abstract class GeneratedTpmBase {
    /** Error of the command that was answered last; null after a success. */
    abstract get lastError(): EndorseError | null;
    protected abstract dispatchCommand(code: number, request: ReqStructure, respond: (response: TpmBuffer) => void): void;
    protected abstract processResponse(response: TpmBuffer, type?: new () => RespStructure): RespStructure | null;
}`.trim();

/** The declaration files, by name. */
export function declarations(
  source: string,
  license: string,
  extension: '.ts' | '.js',
): Readonly<Record<string, string>> {
  const files: Record<string, string> = {
    'tssjs.d.mts': [
      `export { GeneratedTpm } from './Tpm.mjs';`,
      `export * from './TpmTypes.mjs';`,
      `export * from './Tss.mjs';`,
      `export { Crypto } from './Crypt.mjs';`,
    ].join('\n'),
    'TpmMarshaller.d.mts': `export { TpmBuffer, type TpmMarshaller } from '../tpm-buffer${extension}';`,
    'TpmBase.d.mts': generatedBase,
  };
  for (const [file, edits] of Object.entries(declarationEdits)) {
    const text = applyEdits(file, readLines(join(source, 'lib', file)), edits);
    files[file.replace(/\.d\.ts$/, '.d.mts')] = text.replace(
      /(from )"\.\/(\w+?)(?:\.js)?";/g,
      (_match, from: string, name: string) => `${from}'./${name}.mjs';`,
    );
  }
  const notice = licenseComment(license);
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [name, `${notice}${text}\n`]));
}
