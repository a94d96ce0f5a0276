/**
 * The open format, version 1: UTF-8 JSON, one datagram a message, at most 1,200 bytes.
 *
 * - A probe is padded to 1,200 bytes, so a reply is never longer than the probe it answers:
 *   nobody can use a device to amplify traffic to a third party.
 * - A decoder ignores fields it does not know; a field it knows must be as specified.
 * - Another major version is `ERR_REMOTE_UNEXPECTED`, so that it can be reported instead of lost.
 */
import { isIP } from 'node:net';
import { LocalProtocolError, RemoteProtocolError } from '@endorse/interface';
import type { DiscoveryCodec } from './codec.ts';
import type { Fields } from './json-fields.ts';
import { integerAt, malformed, objectAt, optionalTextAt, textAt, textsAt } from './json-fields.ts';
import type {
  DeviceAnnouncement,
  DeviceApi,
  DeviceState,
  DiscoveryProbe,
  DiscoveryReply,
  ProbeFilter,
} from './messages.ts';

/** Value of `p` in every message of the open format. */
export const jsonProtocolName = 'endorse-discovery';

/** Major version this codec speaks. */
export const jsonProtocolVersion = 1;

/** Fits an Ethernet frame and the least MTU of IPv6 with headers to spare. */
const maxDatagramBytes = 1200;
const maxNameLength = 64;
const maxReplyDelayMs = 10_000;
const states: readonly DeviceState[] = ['factory', 'claimed', 'unknown'];
/** What a reply may leave out to fit, the least useful first. */
const expendable = ['hostname', 'software', 'firmware', 'model', 'vendor', 'mac', 'tls'] as const;

/** The open JSON format as a codec; the default of the prober and the responder. */
export const jsonDiscoveryCodec: DiscoveryCodec = Object.freeze({
  specificationVersion: 'v1',
  name: jsonProtocolName,
  maxDatagramBytes,

  encodeProbe({ id, maxReplyDelayMs: mx, filter }: DiscoveryProbe): Uint8Array {
    const body = { ...head('probe', id), mx, ...(filter === undefined ? {} : { filter }), pad: '' };
    const missing = maxDatagramBytes - Buffer.byteLength(JSON.stringify(body));
    if (missing < 0) throw unencodable('the filter of the probe is too long');
    return Buffer.from(JSON.stringify({ ...body, pad: '.'.repeat(missing) }));
  },

  decodeProbe(datagram: Uint8Array): DiscoveryProbe {
    const fields = readMessage(datagram, 'probe');
    const filter = fields['filter'] === undefined ? undefined : readFilter(fields['filter']);
    return {
      id: readId(fields),
      maxReplyDelayMs: integerAt(fields, '$', 'mx', 0, maxReplyDelayMs),
      ...(filter === undefined ? {} : { filter }),
    };
  },

  encodeReply({ id, device }: DiscoveryReply, { maxBytes }: { readonly maxBytes: number }): Uint8Array {
    const limit = Math.min(maxBytes, maxDatagramBytes);
    const body: Record<string, unknown> = { ...head('device', id), ...writeDevice(device) };
    const dropped = ['', ...expendable];
    for (const name of dropped) {
      delete body[name];
      const bytes = Buffer.from(JSON.stringify(body));
      if (bytes.byteLength <= limit) return bytes;
    }
    throw unencodable(`the reply of ${device.serial} does not fit into ${limit} bytes`);
  },

  decodeReply(datagram: Uint8Array): DiscoveryReply {
    const fields = readMessage(datagram, 'device');
    return { id: readId(fields), device: readDevice(fields) };
  },
} satisfies DiscoveryCodec);

function head(type: string, id: string): Fields {
  return { p: jsonProtocolName, v: jsonProtocolVersion, t: type, id };
}

function unencodable(message: string): LocalProtocolError {
  return new LocalProtocolError('ERR_LOCAL_UNENCODABLE', message);
}

function readMessage(datagram: Uint8Array, type: 'probe' | 'device'): Fields {
  if (datagram.byteLength > maxDatagramBytes) {
    const message = `${datagram.byteLength} bytes are more than ${maxDatagramBytes}`;
    throw new RemoteProtocolError('ERR_REMOTE_TOO_LARGE', message);
  }
  const fields = objectAt(parseJson(datagram), '$');
  if (fields['p'] !== jsonProtocolName) malformed('$.p', `is not ${jsonProtocolName}`, fields['p']);
  const version = integerAt(fields, '$', 'v', 1, 65_535);
  if (version !== jsonProtocolVersion) throw unexpected('$.v', `speaks version ${version}`);
  const found = textAt(fields, '$', 't', maxNameLength);
  if (found !== type) throw unexpected('$.t', `is a ${found}, not a ${type}`);
  return fields;
}

function unexpected(path: string, problem: string): RemoteProtocolError {
  return new RemoteProtocolError('ERR_REMOTE_UNEXPECTED', `${path} ${problem}`, { evidence: { path } });
}

function parseJson(datagram: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(datagram));
  } catch (cause) {
    throw new RemoteProtocolError('ERR_REMOTE_MALFORMED', 'the datagram is not JSON in UTF-8', { cause });
  }
}

function readId(fields: Fields): string {
  const id = textAt(fields, '$', 'id', maxNameLength);
  return /^[A-Za-z0-9_-]{22}$/.test(id) ? id : malformed('$.id', 'is not 128 bits of base64url', id);
}

function readFilter(value: unknown): ProbeFilter {
  const fields = objectAt(value, '$.filter');
  const text = (name: string): string | undefined => optionalTextAt(fields, '$.filter', name, maxNameLength);
  return {
    ...defined({ vendor: text('vendor'), model: text('model'), serial: text('serial') }),
    ...(fields['state'] === undefined ? {} : { state: readState(fields['state'], '$.filter.state') }),
  };
}

function writeDevice(device: DeviceAnnouncement): Fields {
  const { tlsSha256, capabilities, ...rest } = device;
  return {
    ...rest,
    ...(tlsSha256 === undefined ? {} : { tls: { sha256: tlsSha256 } }),
    caps: capabilities,
  };
}

function readDevice(fields: Fields): DeviceAnnouncement {
  const text = (name: string): string | undefined => optionalTextAt(fields, '$', name, maxNameLength);
  const addresses = textsAt(fields, '$', 'addresses', { maxCount: 8, maxLength: maxNameLength });
  addresses.forEach((address, index) => {
    if (isIP(address) === 0) malformed(`$.addresses[${index}]`, 'is not an IP address', address);
  });
  const optional = defined({
    vendor: text('vendor'),
    model: text('model'),
    mac: readMac(text('mac')),
    hostname: text('hostname'),
    firmware: text('firmware'),
    software: text('software'),
    tlsSha256: fields['tls'] === undefined ? undefined : readTls(fields['tls']),
  });
  return {
    serial: textAt(fields, '$', 'serial', maxNameLength),
    ...optional,
    addresses,
    api: readApi(fields['api']),
    state: fields['state'] === undefined ? 'unknown' : readState(fields['state'], '$.state'),
    capabilities: textsAt(fields, '$', 'caps', { maxCount: 16, maxLength: 32 }),
  };
}

function readMac(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  // Written with colons, dashes or nothing between the bytes, in either case.
  const digits = text.replaceAll(/[:-]/g, '').toLowerCase();
  return /^[0-9a-f]{12}$/.test(digits) ? digits : malformed('$.mac', 'is not a MAC address', text);
}

function readTls(value: unknown): string {
  const digest = textAt(objectAt(value, '$.tls'), '$.tls', 'sha256', maxNameLength).toLowerCase();
  return /^[0-9a-f]{64}$/.test(digest) ? digest : malformed('$.tls.sha256', 'is not 64 hex digits', digest);
}

function readApi(value: unknown): DeviceApi {
  const fields = objectAt(value ?? null, '$.api');
  if (fields['scheme'] !== 'https') malformed('$.api.scheme', 'is not https', fields['scheme']);
  const path = textAt(fields, '$.api', 'path', maxNameLength);
  if (!/^\/[A-Za-z0-9._~/-]*$/.test(path)) malformed('$.api.path', 'is not a path', path);
  return {
    scheme: 'https',
    port: integerAt(fields, '$.api', 'port', 1, 65_535),
    path,
    ...defined({ kind: optionalTextAt(fields, '$.api', 'kind', maxNameLength) }),
  };
}

function readState(value: unknown, path: string): DeviceState {
  return states.find((state) => state === value) ?? malformed(path, `is not ${states.join(', ')}`, value);
}

/** Leaves out what is undefined. */
function defined<Names extends string>(
  fields: Readonly<Record<Names, string | undefined>>,
): { readonly [Name in Names]?: string } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { readonly [Name in Names]?: string };
}

/** What is wrong with an announcement that a responder is to give; undefined when nothing is. */
export function findAnnouncementProblem(device: DeviceAnnouncement): string | undefined {
  try {
    const id = 'A'.repeat(22);
    const bytes = jsonDiscoveryCodec.encodeReply({ id, device }, { maxBytes: maxDatagramBytes });
    jsonDiscoveryCodec.decodeReply(bytes);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
