import { InvalidArgumentError, Secret } from '@endorse/interface';
import { formatHostPort, parseHostPort } from '../identifiers/host-port.ts';

/** A connection string of the service API, taken apart. */
export interface ServiceConnection {
  /** Host of the service API, with a port only when it is not 443. */
  readonly hostName: string;
  /** Name of the shared access policy, for example `provisioningserviceowner`. */
  readonly sharedAccessKeyName: string;
  /** Key of that policy. */
  readonly sharedAccessKey: Secret;
}

/**
 * Takes `HostName=…;SharedAccessKeyName=…;SharedAccessKey=…` apart, in any order and case; unknown
 * fields are ignored. Throws `ERR_INVALID_ARGUMENT`; no message contains the key.
 */
export function parseServiceConnectionString(text: string, argument = 'connectionString'): ServiceConnection {
  if (typeof text !== 'string') throw new InvalidArgumentError(argument, 'must be a string');
  const fields = new Map<string, string>();
  for (const field of text.split(';').map((part) => part.trim())) {
    if (field === '') continue;
    // Keys end in =, so only the first one separates.
    const separator = field.indexOf('=');
    if (separator < 1) throw new InvalidArgumentError(argument, 'has a field that is not Name=Value');
    const name = field.slice(0, separator).toLowerCase();
    if (fields.has(name)) throw new InvalidArgumentError(argument, 'has a field twice');
    fields.set(name, field.slice(separator + 1));
  }
  const read = (name: string): string => {
    const value = fields.get(name.toLowerCase());
    if (value === undefined || value === '') throw new InvalidArgumentError(argument, `has no ${name}`);
    return value;
  };
  return {
    hostName: normaliseHost(read('HostName'), argument),
    sharedAccessKeyName: read('SharedAccessKeyName'),
    sharedAccessKey: decodeKey(read('SharedAccessKey'), argument),
  };
}

/** Puts a connection string together. A secret as a whole, since it holds the key. Throws `ERR_INVALID_ARGUMENT`. */
export function formatServiceConnectionString(connection: ServiceConnection): Secret {
  const { hostName, sharedAccessKeyName, sharedAccessKey } = connection;
  if (!/^[^;=\s]+$/.test(sharedAccessKeyName)) {
    throw new InvalidArgumentError(
      'connection.sharedAccessKeyName',
      'must not be empty or contain ; = or space',
    );
  }
  const key = Buffer.from(sharedAccessKey.reveal());
  const host = normaliseHost(hostName, 'connection.hostName');
  const text = `HostName=${host};SharedAccessKeyName=${sharedAccessKeyName};SharedAccessKey=${key.toString('base64')}`;
  key.fill(0);
  return Secret.fromText(text);
}

function normaliseHost(text: string, argument: string): string {
  return formatHostPort(parseHostPort(text, { argument }), { defaultPort: 443 });
}

function decodeKey(text: string, argument: string): Secret {
  try {
    return Secret.fromBase64(text);
  } catch {
    throw new InvalidArgumentError(argument, 'has a SharedAccessKey that is not base64');
  }
}
