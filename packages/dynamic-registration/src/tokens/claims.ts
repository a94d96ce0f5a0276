import { TokenRefusedError } from './refusal.ts';

/** What a registration token says. Times are in milliseconds since 1970; on the wire they are whole seconds. */
export interface TokenClaims {
  /** `iss`: who made it. */
  readonly issuer: string;
  /** `url`: where a device registers. */
  readonly url?: string;
  /** `aud`: the registrars it is for. */
  readonly audience?: readonly string[];
  /** `exp`: until when it registers devices. */
  readonly expiresAt?: number;
  /** `nbf`: from when on. */
  readonly notBefore?: number;
  /** `iat`: when it was made. */
  readonly issuedAt?: number;
  /** `jti`: its name, by which it is counted and revoked. */
  readonly tokenId?: string;
  /** `max_uses`: how many devices it registers, 1 to 1,000,000,000; unlimited when absent. */
  readonly maxUses?: number;
  /** `id_pattern`: which manufacturer ids it registers; see `matchesIdPattern`. */
  readonly idPattern?: string;
  /** `recipe`: what devices are made from. */
  readonly recipe?: string;
  /** `tags`: tags for every device it registers. */
  readonly tags?: Readonly<Record<string, string>>;
  /** `broker`: where the credentials are good, for example `mqtts://broker.example:8883`. */
  readonly broker?: string;
  /** `ek`: `any` demands a TPM; a list demands one of these TPMs, by the Name of its endorsement key in hex. */
  readonly endorsementKey?: 'any' | readonly string[];
}

interface Claim {
  /** Its name here. */
  readonly property: keyof TokenClaims;
  /** The value; undefined when it is one the claim cannot have. */
  readonly decode: (value: unknown) => unknown;
  /** What the value must be, for whoever mints. */
  readonly rule: string;
}

const timeRule = 'must be a time before the year 10000';

/** Every claim, by its name on the wire. */
const claimTable: Readonly<Record<string, Claim>> = {
  iss: claim('issuer', (value) => text(value, 255), 'must be a text of 1 to 255 characters'),
  url: claim('url', (value) => urlText(value, ['https:', 'http:']), 'must be an https URL'),
  aud: claim('audience', audience, 'must be 1 to 16 texts of at most 2,048 characters'),
  exp: claim('expiresAt', time, timeRule),
  nbf: claim('notBefore', time, timeRule),
  iat: claim('issuedAt', time, timeRule),
  jti: claim(
    'tokenId',
    (value) => matching(value, /^[\x21-\x7e]{1,128}$/),
    'must be 1 to 128 printable ASCII characters without a space',
  ),
  max_uses: claim(
    'maxUses',
    (value) => integer(value, 1, 1_000_000_000),
    'must be a whole number from 1 to 1000000000',
  ),
  id_pattern: claim('idPattern', (value) => text(value, 255), 'must be a text of 1 to 255 characters'),
  recipe: claim(
    'recipe',
    (value) => matching(value, /^[A-Za-z0-9._-]{1,64}$/),
    'must be 1 to 64 letters, digits, dots, dashes and underscores',
  ),
  tags: claim('tags', tags, 'must be at most 16 names, each with a text of 1 to 255 characters'),
  broker: claim(
    'broker',
    (value) => urlText(value, ['mqtts:', 'mqtt:', 'wss:', 'ws:']),
    'must be an mqtts, mqtt, wss or ws URL',
  ),
  ek: claim('endorsementKey', endorsementKey, 'must be `any` or 1 to 64 Names of endorsement keys in hex'),
};

function claim(property: keyof TokenClaims, decode: Claim['decode'], rule: string): Claim {
  return { property, decode, rule };
}

/** The first member of a payload that is a claim with a value it cannot have; undefined when there is none. */
export function findMalformedClaim(
  payload: Readonly<Record<string, unknown>>,
): Pick<Claim, 'property' | 'rule'> | undefined {
  return Object.entries(claimTable).find(
    ([name, { decode }]) => Object.hasOwn(payload, name) && decode(payload[name]) === undefined,
  )?.[1];
}

/**
 * Reads the claims of a payload; members we do not know are left alone (RFC 7519, 4).
 * Throws `ERR_TOKEN_REFUSED` with `claim-malformed` or, for `iss`, `claim-missing`.
 */
export function decodeClaims(payload: Readonly<Record<string, unknown>>): TokenClaims {
  const claims: Record<string, unknown> = {};
  for (const [name, { property, decode }] of Object.entries(claimTable)) {
    if (!Object.hasOwn(payload, name)) continue;
    const value: unknown = decode(payload[name]);
    if (value === undefined) {
      throw new TokenRefusedError('claim-malformed', `the claim "${name}" has a value it cannot have`);
    }
    claims[property] = value;
  }
  const { issuer } = claims;
  if (typeof issuer !== 'string') throw new TokenRefusedError('claim-missing', 'there is no claim "iss"');
  return { ...claims, issuer };
}

/** The payload that says `claims`. */
export function encodeClaims(claims: TokenClaims): Readonly<Record<string, unknown>> {
  const { audience: recipients } = claims;
  const values: Readonly<Record<string, unknown>> = {
    iss: claims.issuer,
    url: claims.url,
    aud: recipients?.length === 1 ? recipients[0] : recipients,
    exp: seconds(claims.expiresAt),
    nbf: seconds(claims.notBefore),
    iat: seconds(claims.issuedAt),
    jti: claims.tokenId,
    max_uses: claims.maxUses,
    id_pattern: claims.idPattern,
    recipe: claims.recipe,
    tags: claims.tags,
    broker: claims.broker,
    ek: claims.endorsementKey === 'any' ? true : claims.endorsementKey,
  };
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

function seconds(at: number | undefined): number | undefined {
  return at === undefined ? undefined : Math.floor(at / 1000);
}

/** 9999-12-31T23:59:59Z, the last second that every date format has. */
const lastSecond = 253_402_300_799;

function time(value: unknown): number | undefined {
  const at = integer(value, 0, lastSecond);
  return at === undefined ? undefined : at * 1000;
}

function integer(value: unknown, minimum: number, maximum: number): number | undefined {
  const fits = typeof value === 'number' && Number.isInteger(value) && value >= minimum && value <= maximum;
  return fits ? value : undefined;
}

function text(value: unknown, maximum: number): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= maximum ? value : undefined;
}

function matching(value: unknown, pattern: RegExp): string | undefined {
  return typeof value === 'string' && pattern.test(value) ? value : undefined;
}

function urlText(value: unknown, protocols: readonly string[]): string | undefined {
  const candidate = text(value, 2048);
  const url = candidate !== undefined && URL.canParse(candidate) ? new URL(candidate) : undefined;
  return url !== undefined && protocols.includes(url.protocol) ? candidate : undefined;
}

function audience(value: unknown): readonly string[] | undefined {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  const valid =
    list.length > 0 && list.length <= 16 && list.every((entry) => text(entry, 2048) !== undefined);
  return valid ? (list as readonly string[]) : undefined;
}

function tags(value: unknown): Readonly<Record<string, string>> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const entries = Object.entries(value);
  const valid =
    entries.length <= 16 &&
    entries.every(
      ([name, content]) => /^[A-Za-z0-9._-]{1,64}$/.test(name) && text(content, 255) !== undefined,
    );
  return valid ? (Object.fromEntries(entries) as Record<string, string>) : undefined;
}

function endorsementKey(value: unknown): 'any' | readonly string[] | undefined {
  if (value === true) return 'any';
  const valid =
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= 64 &&
    value.every((name) => matching(name, /^000[bcd](?:[0-9a-f]{2}){32,64}$/) !== undefined);
  return valid ? (value as readonly string[]) : undefined;
}
