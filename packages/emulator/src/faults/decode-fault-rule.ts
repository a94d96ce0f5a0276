import { InvalidArgumentError } from '@endorse/interface';
import type { FaultEffect, FaultRule } from './fault-rule.ts';
import { faultCarriers, faultOperations } from './fault-rule.ts';

/**
 * Reads a rule from whatever came: an option, a seed file, a request to the admin API.
 * Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE` that names the member, for example `faults[0].fault.status`.
 */
export function decodeFaultRule(value: unknown, where: string): FaultRule {
  const rule = asObject(value, where);
  refuseOthers(rule, where, ruleMembers);
  const at = (member: string): string => `${where}.${member}`;
  const name = optional(rule['name'], (text) => asText(text, at('name'), /^[\w.-]{1,64}$/));
  const carrier = optional(rule['carrier'], (text) => asWord(text, at('carrier'), faultCarriers));
  const operation = optional(rule['operation'], (text) => asWord(text, at('operation'), faultOperations));
  const device = optional(rule['device'], (text) => asText(text, at('device'), /^[^*]{0,128}\*?$/));
  const after = optional(rule['after'], (number) => asInteger(number, at('after'), 0, 1e9));
  const count = optional(rule['count'], (number) => asInteger(number, at('count'), 1, 1e9));
  const probability = optional(rule['probability'], (number) => asNumber(number, at('probability'), 0, 1));
  const fault = decodeEffect(rule['fault'], at('fault'));
  if (fault.kind === 'expired-certificate' && (operation !== undefined || device !== undefined)) {
    throw new InvalidArgumentError(
      where,
      'is about TLS handshakes, in which neither an operation nor a device is known yet',
    );
  }
  return {
    ...(name === undefined ? {} : { name }),
    ...(carrier === undefined ? {} : { carrier }),
    ...(operation === undefined ? {} : { operation }),
    ...(device === undefined ? {} : { device }),
    ...(after === undefined ? {} : { after }),
    ...(count === undefined ? {} : { count }),
    ...(probability === undefined ? {} : { probability }),
    fault,
  };
}

const ruleMembers = ['name', 'carrier', 'operation', 'device', 'after', 'count', 'probability', 'fault'];

function decodeEffect(value: unknown, where: string): FaultEffect {
  const effect = asObject(value, where);
  const at = (member: string): string => `${where}.${member}`;
  const only = (...members: readonly string[]): void => refuseOthers(effect, where, ['kind', ...members]);
  const kind = asWord(effect['kind'], at('kind'), effectKinds);
  switch (kind) {
    case 'status':
      only('status', 'errorCode', 'message', 'retryAfterSeconds');
      return decodeStatus(effect, at);
    case 'delay':
      only('delayMs');
      return { kind, delayMs: asInteger(effect['delayMs'], at('delayMs'), 1, 600_000) };
    case 'drop':
      only('when');
      return { kind, when: asWord(effect['when'], at('when'), ['before-handling', 'after-handling']) };
    case 'truncate': {
      only('keepBytes');
      const keepBytes = optional(effect['keepBytes'], (bytes) => asInteger(bytes, at('keepBytes'), 0, 1e9));
      return { kind, ...(keepBytes === undefined ? {} : { keepBytes }) };
    }
    case 'content-type':
      only('contentType');
      // As it goes into a header: printable ASCII.
      return { kind, contentType: asText(effect['contentType'], at('contentType'), /^[\x20-\x7e]{1,200}$/) };
    case 'flip-blob': {
      only('field', 'bit');
      const bit = optional(effect['bit'], (index) => asInteger(index, at('bit'), 0, 65_535));
      return {
        kind,
        field: asWord(effect['field'], at('field'), blobFields),
        ...(bit === undefined ? {} : { bit }),
      };
    }
    case 'clock-skew':
      only('skewMs');
      return { kind, skewMs: asInteger(effect['skewMs'], at('skewMs'), -1e12, 1e12) };
    case 'stay-assigning':
    case 'expired-certificate':
      only();
      return { kind };
    default:
      return kind satisfies never;
  }
}

function decodeStatus(
  effect: Readonly<Record<string, unknown>>,
  at: (member: string) => string,
): FaultEffect {
  const status = asInteger(effect['status'], at('status'), 400, 599);
  const errorCode = optional(effect['errorCode'], (number) =>
    asInteger(number, at('errorCode'), 100_000, 599_999),
  );
  const message = optional(effect['message'], (text) => asText(text, at('message'), /^[^]{1,1000}$/));
  const retryAfterSeconds = optional(effect['retryAfterSeconds'], (seconds) =>
    asInteger(seconds, at('retryAfterSeconds'), 0, 3600),
  );
  return {
    kind: 'status',
    status,
    ...(errorCode === undefined ? {} : { errorCode }),
    ...(message === undefined ? {} : { message }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
}

const effectKinds = [
  'status',
  'delay',
  'drop',
  'truncate',
  'content-type',
  'flip-blob',
  'stay-assigning',
  'clock-skew',
  'expired-certificate',
] as const satisfies readonly FaultEffect['kind'][];

const blobFields = [
  'idObject',
  'encryptedSecret',
  'duplicate',
  'encryptedSeed',
  'publicArea',
  'encryptedUri',
] as const;

function optional<Value>(value: unknown, read: (value: unknown) => Value): Value | undefined {
  return value === undefined || value === null ? undefined : read(value);
}

function asObject(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  throw new InvalidArgumentError(where, 'must be an object');
}

function refuseOthers(
  value: Readonly<Record<string, unknown>>,
  where: string,
  members: readonly string[],
): void {
  const other = Object.keys(value).find((key) => !members.includes(key));
  if (other === undefined) return;
  throw new InvalidArgumentError(`${where}.${other}`, `is not known here; there are ${members.join(', ')}`);
}

function asWord<const Word extends string>(value: unknown, where: string, words: readonly Word[]): Word {
  const word = words.find((candidate) => candidate === value);
  if (word !== undefined) return word;
  throw new InvalidArgumentError(where, `must be one of ${words.join(', ')}`);
}

function asText(value: unknown, where: string, pattern: RegExp): string {
  if (typeof value === 'string' && pattern.test(value)) return value;
  throw new InvalidArgumentError(where, `must be text that matches ${pattern.source}`);
}

function asNumber(value: unknown, where: string, minimum: number, maximum: number): number {
  if (typeof value === 'number' && value >= minimum && value <= maximum) return value;
  const problem = `must be a number from ${minimum} to ${maximum}`;
  throw new InvalidArgumentError(where, problem, 'ERR_OUT_OF_RANGE');
}

function asInteger(value: unknown, where: string, minimum: number, maximum: number): number {
  if (Number.isInteger(value)) return asNumber(value, where, minimum, maximum);
  throw new InvalidArgumentError(
    where,
    `must be a whole number from ${minimum} to ${maximum}`,
    'ERR_OUT_OF_RANGE',
  );
}
