/** Where secrets come from: an environment variable, a file, an inherited descriptor or a prompt; never the command line. */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { Secret } from '@endorse/interface';
import type { CommandContext } from '../command/command.ts';
import type { OptionDefinition } from '../command/option.ts';
import { UsageError } from '../command/usage-error.ts';
import { secretFromEnv } from '../commands/secret-from-env.ts';
import { promptSecret } from './prompt-secret.ts';

/** A larger file holds no password and no connection string. */
const maxSecretBytes = 16_384;

/** The options of one secret, by its name: `password` makes `--password-env`, `-file`, `-fd` and `-prompt`. */
export type SecretOptions<Name extends string> = {
  readonly [Option in `${Name}-env` | `${Name}-file`]: Extract<OptionDefinition, { type: 'string' }>;
} & { readonly [Option in `${Name}-fd`]: Extract<OptionDefinition, { type: 'integer' }> } & {
  readonly [Option in `${Name}-prompt`]: Extract<OptionDefinition, { type: 'boolean' }>;
};

/** Makes the four options of a secret. */
export function secretOptions<const Name extends string>(name: Name, what: string): SecretOptions<Name> {
  return {
    [`${name}-env`]: { type: 'string', value: 'VAR', summary: `environment variable with ${what}` },
    [`${name}-file`]: { type: 'string', value: 'FILE', summary: `file with ${what}, readable for you only` },
    [`${name}-fd`]: {
      type: 'integer',
      value: 'N',
      minimum: 3,
      maximum: 1023,
      summary: `inherited descriptor to read ${what} from`,
    },
    [`${name}-prompt`]: { type: 'boolean', summary: `ask for ${what} on the terminal` },
  } as unknown as SecretOptions<Name>;
}

/** Reads a secret from the one source that is given; undefined when none is. Throws `UsageError`, without the secret. */
export async function readSecret(
  name: string,
  what: string,
  values: Readonly<Record<string, unknown>>,
  { env, signal }: CommandContext,
): Promise<Secret | undefined> {
  const given = (['env', 'file', 'fd', 'prompt'] as const).filter((source) => {
    const value = values[`${name}-${source}`];
    return value !== undefined && value !== false;
  });
  const [source, second] = given;
  if (source === undefined) return undefined;
  if (second !== undefined)
    throw new UsageError(`--${name}-${source} and --${name}-${second} exclude each other`);
  const value = values[`${name}-${source}`];
  switch (source) {
    case 'env':
      return secretFromEnv(`${name}-env`, value as string, env);
    case 'file':
      return fromFile(`${name}-file`, value as string);
    case 'fd':
      return fromDescriptor(`${name}-fd`, value as number);
    case 'prompt':
      return promptSecret(what, signal);
    default:
      return source satisfies never;
  }
}

function fromFile(option: string, path: string): Secret {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (cause) {
    throw new UsageError(`--${option}: cannot read ${path}`, { cause });
  }
  try {
    const { mode, size } = fstatSync(descriptor);
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new UsageError(`--${option}: ${path} can be read by others`, {
        remedy: `Run: chmod 600 ${path}`,
      });
    }
    if (size > maxSecretBytes) throw new UsageError(`--${option}: ${path} is larger than a secret`);
    return toSecret(option, readFileSync(descriptor));
  } finally {
    closeSync(descriptor);
  }
}

function fromDescriptor(option: string, descriptor: number): Secret {
  try {
    return toSecret(option, readFileSync(descriptor));
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new UsageError(`--${option}: descriptor ${descriptor} cannot be read`, {
      cause,
      remedy: `Open it for this command, for example: endorse … --${option} 3 3<secret.txt`,
    });
  }
}

/** One line; its line feed is not part of it. */
function toSecret(option: string, bytes: Uint8Array): Secret {
  const text = new TextDecoder().decode(bytes).replace(/\r?\n$/, '');
  bytes.fill(0);
  if (text === '' || text.length > maxSecretBytes || /[\r\n]/.test(text)) {
    throw new UsageError(`--${option}: there must be one line, and not an empty one`);
  }
  return Secret.fromText(text);
}
