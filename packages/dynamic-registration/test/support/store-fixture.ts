import { randomUUID } from 'node:crypto';
import { Secret } from '@endorse/interface';
import { VirtualClock } from '@endorse/interface/virtual-clock';
import type {
  IssuedCredential,
  RegistrationOutcome,
  RegistrationRequest,
  RegistrationStore,
  SqlDatabase,
  StoreOptions,
} from '../../src/store/index.ts';
import { openSqlite, openStore } from '../../src/store/index.ts';

export const peppers = { 1: Secret.fromBytes(new Uint8Array(32).fill(9)) };
export const proof = new Uint8Array(32).fill(1);

/** A store in memory with a clock that stands still. */
export interface StoreFixture extends AsyncDisposable {
  readonly store: RegistrationStore;
  readonly database: SqlDatabase;
  readonly clock: VirtualClock;
}

export async function startStore(options: Partial<StoreOptions> = {}): Promise<StoreFixture> {
  const clock = new VirtualClock();
  const database = options.database ?? (await openSqlite(':memory:'));
  const store = await openStore({ database, peppers, clock, ...options });
  return { store, database, clock, [Symbol.asyncDispose]: () => store.close() };
}

/** A request of a device, with its own proof and a token without a limit. */
export function request(overrides: Partial<RegistrationRequest> = {}): RegistrationRequest {
  const manufacturerId = overrides.manufacturerId ?? `device-${randomUUID()}`;
  return {
    token: { reference: 'jti:fleet', issuer: 'example.com', tokenId: 'fleet' },
    manufacturerId,
    sentId: manufacturerId,
    name: `Generator - ${manufacturerId}`,
    recipe: 'tl-generator',
    definition: '{}',
    proof,
    ...overrides,
  };
}

/** The credential of an outcome that has one. */
export function credentialOf(outcome: RegistrationOutcome): IssuedCredential {
  if ('credential' in outcome) return outcome.credential;
  throw new Error(`no credential: ${JSON.stringify(outcome)}`);
}

/** What a device shows. */
export function shown({ accessKey, accessSecret }: IssuedCredential): {
  accessKey: string;
  accessSecret: string;
} {
  return { accessKey, accessSecret: accessSecret.revealText() };
}
