/** Holds requests against the vendor's published API, as written down in the fixture. */
import { readFileSync } from 'node:fs';
import type { GatewayFamily } from '@endorse/thingspro-edge';
import type { SeenRequest } from './gateway.ts';

interface Operation {
  readonly body?: {
    readonly required?: readonly string[];
    /** `string`, `boolean`, `integer`, `object`, or a pattern for text. */
    readonly fields: Readonly<Record<string, string>>;
    readonly nested?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  };
  /** Names of the parts of a multipart form. */
  readonly form?: readonly string[];
}

interface Contract {
  readonly families: Readonly<Record<GatewayFamily, Readonly<Record<string, Operation>>>>;
  readonly services: readonly string[];
}

const contract = JSON.parse(
  readFileSync(new URL('../fixtures/api-contract.json', import.meta.url), 'utf8'),
) as Contract;

/** The operations of a family, `METHOD /path` with placeholders. */
export function operationsOf(family: GatewayFamily): readonly string[] {
  return Object.keys(contract.families[family]);
}

/** The operation a request belongs to; undefined when the API has none. */
export function operationOf({ method, path }: Pick<SeenRequest, 'method' | 'path'>): string {
  const general = path
    .replace(/^\/sessions\/\d+$/, '/sessions/{integer}')
    .replace(/^(\/system\/services)\/(\w+)\//, (whole, start: string, id: string) =>
      contract.services.includes(id) ? `${start}/{service}/` : whole,
    );
  return `${method} ${general}`;
}

/** Lists what is wrong with a request by the vendor's API; empty when it is as published. */
export function violations(family: GatewayFamily, request: SeenRequest): readonly string[] {
  const name = operationOf(request);
  const operation = contract.families[family][name];
  if (operation === undefined) return [`${name} is no operation of ${family}`];
  const isSignIn = name === 'POST /auth';
  const authorization = request.headers['authorization'];
  const problems =
    isSignIn === (authorization === undefined) ? [] : [`${name} has authorization ${String(authorization)}`];
  const mediaType = request.headers['content-type']?.split(';', 1)[0];
  if (mediaType === 'multipart/form-data') {
    const parts = [...request.text.matchAll(/; name="([^"]*)"/g)].map(([, part]) => part ?? '');
    const strange = parts.filter((part) => operation.form?.includes(part) !== true);
    return [...problems, ...strange.map((part) => `${name} has no form part ${part}`)];
  }
  if (request.text === '')
    return operation.body === undefined ? problems : [...problems, `${name} needs a body`];
  if (operation.body === undefined) return [...problems, `${name} takes no body`];
  if (mediaType !== 'application/json') return [...problems, `${name} takes JSON, not ${String(mediaType)}`];
  const body = JSON.parse(request.text) as Record<string, unknown>;
  const missing = (operation.body.required ?? []).filter((field) => body[field] === undefined);
  return [
    ...problems,
    ...missing.map((field) => `${name} needs ${field}`),
    ...fieldProblems(name, body, operation.body.fields),
    ...Object.entries(operation.body.nested ?? {}).flatMap(([field, fields]) =>
      fieldProblems(`${name} ${field}`, (body[field] ?? {}) as Record<string, unknown>, fields),
    ),
  ];
}

function fieldProblems(
  where: string,
  value: Readonly<Record<string, unknown>>,
  fields: Readonly<Record<string, string>>,
): readonly string[] {
  return Object.entries(value).flatMap(([field, found]) => {
    const type = fields[field];
    if (type === undefined) return [`${where} has no field ${field}`];
    return isOf(type, found) ? [] : [`${where} has a field ${field} that is not ${type}`];
  });
}

function isOf(type: string, value: unknown): boolean {
  switch (type) {
    case 'integer':
      return Number.isInteger(value);
    case 'string':
    case 'boolean':
    case 'object':
      return typeof value === type;
    default:
      return typeof value === 'string' && new RegExp(type).test(value);
  }
}
