/** Properties of a message in its topic: `key=value&…`, both percent-encoded; names of the system begin with `$.`. */
import { percentEncode } from '../sas/sas-resource.ts';
import { decodePercent } from './topic-query.ts';

/** What a message says beside its body. */
export interface MessageProperties {
  /** Set by the application. */
  readonly properties: Readonly<Record<string, string>>;
  /** Known to the hub, by their names without `$.`: `mid` (message id), `ct` (content type), `ce` (content encoding), … */
  readonly system: Readonly<Record<string, string>>;
}

/** Writes a property bag; empty for no properties. */
export function encodePropertyBag({ properties = {}, system = {} }: Partial<MessageProperties>): string {
  const pairs = [
    ...Object.entries(system).map(([name, value]) => ['$.', name, value] as const),
    ...Object.entries(properties).map(([name, value]) => ['', name, value] as const),
  ];
  // `$.` stays as it is: the hub knows its own names by it.
  return pairs
    .map(([prefix, name, value]) => `${prefix}${percentEncode(name)}=${percentEncode(value)}`)
    .join('&');
}

/** Reads a property bag, with or without the question mark that some clients begin with. Throws `ERR_REMOTE_MALFORMED`. */
export function decodePropertyBag(text: string): MessageProperties {
  const properties: [string, string][] = [];
  const system: [string, string][] = [];
  for (const part of text.replace(/^\?/, '').replace(/\/$/, '').split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = decodePercent('property', equals < 0 ? part : part.slice(0, equals));
    const value = equals < 0 ? '' : decodePercent('property', part.slice(equals + 1));
    if (name.startsWith('$.')) system.push([name.slice(2), value]);
    else properties.push([name, value]);
  }
  // Pairs, so that a property called __proto__ is a property.
  return { properties: Object.fromEntries(properties), system: Object.fromEntries(system) };
}
