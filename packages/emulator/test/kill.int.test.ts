/**
 * An emulator is killed again and again while devices register and operators write. The parent process holds every
 * acknowledgement; whatever was acknowledged has to be there after the restart, and nothing may be there by halves.
 */
import { Agent } from 'node:https';
import { join } from 'node:path';
import { parseServiceConnectionString } from '@endorse/protocol';
import { expect, test } from 'vitest';
import { openSqliteStore } from '../src/store/sqlite-store.ts';
import { seededRandom } from './support/core-fixture.ts';
import type { EmulatorChildAddress } from './support/emulator-child.ts';
import { startEmulatorChild } from './support/emulator-child.ts';
import type { Answer, RawRequest } from './support/http-client.ts';
import { base64, sendRaw } from './support/http-client.ts';
import { deviceToken, sas, softwareTpm } from './support/software-tpm.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

/** What the parent knows of one device: only what was answered. */
interface Known {
  readonly registrationId: string;
  readonly key: Uint8Array;
  /** The request that is under way; its outcome is open. */
  pending: 'enroll' | 'register' | 'poll' | 'delete' | undefined;
  enrollment?: Record<string, unknown>;
  token?: string;
  operationId?: string;
  state?: Record<string, unknown>;
  deleted?: boolean;
}

const version = 'api-version=2021-06-01';
const json = { 'content-type': 'application/json' };
const expiresAt = Date.now() + 3_600_000;

test('killed at seeded instants under load, it restarts with every acknowledged write and nothing by halves', async () => {
  await using directory = await temporaryDirectory();
  const random = seededRandom('kill');
  const all: Known[] = [];
  for (let round = 0; round < 7; round += 1) {
    const [instant = 0] = random.bytes(1);
    // Killed from outside after so many acknowledgements, or between two records that one request writes.
    const isFromOutside = round % 2 === 0;
    await using child = await startEmulatorChild(directory.path, isFromOutside ? 0 : 40 + instant);
    const client = new Client(child.address);
    await verify(client, all);
    let left = 20 + instant / 2;
    const acknowledge = (): void => {
      if ((left -= 1) <= 0 && isFromOutside) void child.kill();
    };
    const workers = Array.from({ length: 8 }, (_, worker) =>
      work(client, all, `device-${round}-${worker}`, worker === 0, acknowledge),
    );
    await child.ended;
    await Promise.all(workers);
    client.close();
    expectWholeRecords(directory.path);
  }
  await using child = await startEmulatorChild(directory.path);
  const client = new Client(child.address);
  await verify(client, all);
  client.close();
  expect(all.filter(({ state }) => state !== undefined).length).toBeGreaterThan(20);
  expect(all.filter(({ deleted }) => deleted === true).length).toBeGreaterThan(3);
}, 120_000);

class Client {
  readonly #agent: Agent;
  readonly address: EmulatorChildAddress;

  constructor(address: EmulatorChildAddress) {
    this.address = address;
    this.#agent = new Agent({ keepAlive: true, ca: address.caPem });
  }

  device(request: RawRequest, token?: string): Promise<Answer> {
    const headers = { ...json, ...(token === undefined ? {} : { authorization: token }) };
    return sendRaw(this.address.http, this.#agent, { ...request, headers });
  }

  async owner(request: RawRequest): Promise<Answer> {
    const policy = parseServiceConnectionString(this.address.serviceConnectionString);
    const token = await sas({
      resource: policy.hostName,
      key: policy.sharedAccessKey.reveal(),
      keyName: policy.sharedAccessKeyName,
      expiresAt,
    });
    return this.device(request, token);
  }

  async event(registrationId: string, key: Uint8Array): Promise<Answer> {
    const resource = `${new URL(this.address.hub).host}/devices/${registrationId}`;
    const path = `/devices/${registrationId}/messages/events?${version}`;
    const authorization = await sas({ resource, key, expiresAt });
    return sendRaw(this.address.hub, this.#agent, {
      method: 'POST',
      path,
      headers: { authorization },
      body: 'x',
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Enrolls devices and registers each, deletes every third, until the emulator is gone. */
async function work(
  client: Client,
  all: Known[],
  name: string,
  isTpm: boolean,
  acknowledge: () => void,
): Promise<void> {
  try {
    for (let count = 0; ; count += 1) {
      const known: Known = {
        registrationId: `${name}-${count}`,
        key: Buffer.alloc(32, `${name} ${count}`),
        pending: undefined,
      };
      all.push(known);
      await liveOnce(client, known, isTpm, acknowledge);
      if (count % 3 === 2) await remove(client, known, acknowledge);
    }
  } catch {
    // The kill; `pending` says what was under way.
  }
}

async function liveOnce(
  client: Client,
  known: Known,
  isTpm: boolean,
  acknowledge: () => void,
): Promise<void> {
  const { registrationId } = known;
  const tpm = softwareTpm();
  const primaryKey = base64(known.key);
  const attestation = isTpm
    ? { type: 'tpm', tpm: { endorsementKey: base64(tpm.endorsementKey) } }
    : { type: 'symmetricKey', symmetricKey: { primaryKey, secondaryKey: primaryKey } };
  const body = JSON.stringify({ registrationId, attestation });
  known.pending = 'enroll';
  const enrolled = await client.owner({ method: 'PUT', path: enrollmentPath(known), body });
  known.enrollment = enrolled.json();
  known.pending = undefined;
  acknowledge();

  const { idScope } = client.address;
  const device = `/${idScope}/registrations/${registrationId}`;
  const keys = {
    tpm: { endorsementKey: base64(tpm.endorsementKey), storageRootKey: base64(tpm.storageRootKey) },
  };
  const register = { method: 'PUT', path: `${device}/register?${version}`, body: JSON.stringify(keys) };
  let { key } = known;
  if (isTpm) {
    const challenge = await client.device(register);
    key = tpm.open(Buffer.from(String(challenge.json()['authenticationKey']), 'base64'));
  }
  known.token = await deviceToken({ idScope, registrationId, key, expiresAt });
  known.pending = 'register';
  const accepted = await client.device({ ...register, ...(isTpm ? {} : { body: '{}' }) }, known.token);
  expect(accepted.status).toBe(202);
  known.operationId = String(accepted.json()['operationId']);
  known.pending = undefined;
  acknowledge();

  known.pending = 'poll';
  const assigned = await client.device({ path: operationPath(client, known) }, known.token);
  known.state = assigned.json()['registrationState'] as Record<string, unknown>;
  known.pending = undefined;
  acknowledge();
}

async function remove(client: Client, known: Known, acknowledge: () => void): Promise<void> {
  known.pending = 'delete';
  const { status } = await client.owner({ method: 'DELETE', path: enrollmentPath(known) });
  expect(status).toBe(204);
  known.deleted = true;
  known.pending = undefined;
  acknowledge();
}

function enrollmentPath({ registrationId }: Known): string {
  return `/enrollments/${registrationId}?api-version=2021-10-01`;
}

function operationPath(client: Client, { registrationId, operationId = '' }: Known): string {
  return `/${client.address.idScope}/registrations/${registrationId}/operations/${operationId}?${version}`;
}

/** Everything that was acknowledged is there, as it was told. */
async function verify(client: Client, all: readonly Known[]): Promise<void> {
  for (const known of all) {
    const { registrationId, key, pending, enrollment, token, operationId, state, deleted } = known;
    if (enrollment === undefined) continue;
    const { status, json: body } = await client.owner({ path: enrollmentPath(known) });
    // A request whose answer never came may have been done or not.
    const isGone = deleted === true || (pending === 'delete' && status === 404);
    expect({ registrationId, status }).toEqual({ registrationId, status: isGone ? 404 : 200 });
    if (isGone) continue;
    expect(body()).toMatchObject({ etag: enrollment['etag'] });
    if (operationId === undefined) continue;
    const polled = await client.device({ path: operationPath(client, known) }, token);
    expect({ registrationId, status: polled.status }).toEqual({ registrationId, status: 200 });
    if (state !== undefined) expect(polled.json()['registrationState']).toEqual(state);
    if (state !== undefined && state['tpm'] === undefined) {
      expect((await client.event(registrationId, key)).status).toBe(204);
    }
  }
}

/** What one request writes into several places is in all of them or in none. */
function expectWholeRecords(directory: string): void {
  const store = openSqliteStore(join(directory, 'emulator.sqlite'));
  try {
    const assigned = [...store.registrations.list()].map(({ registrationId }) => registrationId);
    const settled = [...store.enrollments.list()].flatMap(({ registrationId }) => {
      const { operations = [] } = store.deviceMemories.get(registrationId) ?? {};
      return operations.some(({ phase }) => phase === 'settled') ? [registrationId] : [];
    });
    expect(assigned.toSorted()).toEqual(settled.toSorted());
    for (const registrationId of assigned) {
      expect(store.hub('hub').devices.get(registrationId)?.keys.length).toBeGreaterThan(0);
    }
  } finally {
    store.close();
  }
}
