/**
 * The scene of a defect of the official SDK: service, network, TPM and device, in which their client, unmodified and in
 * a process of its own, and ours meet the same situation.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RegistrationResult, SymmetricKeySecurityClient, TpmSecurityClient } from '@endorse/interface';
import type { RegistrationDefaults } from '@endorse/registration-core';
import { SymmetricKeyRegistration, TpmRegistration } from '@endorse/registration-core';
import { createSymmetricKeySecurityClient } from '@endorse/security-symmetric-key';
import type { TpmSnapshot } from '@endorse/tpm-simulator';
import { vi } from 'vitest';
import { carriers } from '../support/carriers.ts';
import { startNetworkProxy } from '../support/faults/network-proxy.ts';
import type { OfficialDefect } from '../support/official-defects.ts';
import { officialEnvironment } from '../support/official-environment.ts';
import type { ActorRun } from '../support/run-actor.ts';
import { actorPath, runActor } from '../support/run-actor.ts';
import { startDevice } from './device-fixture.ts';

/** What can be said about service and TPM once a client is done. */
export interface Aftermath {
  /** How many requests of the kind that the fault is about reached the service. */
  readonly requests: number | undefined;
  /** Connections to the service that are still open. */
  readonly openConnections: number;
  /** What it took, in milliseconds. */
  readonly wallMs: number;
  /** What the TPM held before and holds now, besides its identity key. */
  readonly tpm: { readonly before: TpmSnapshot; readonly after: TpmSnapshot };
}

/** A scene for both sides, one after the other. */
export interface DefectStand extends AsyncDisposable {
  /** Who is registered when all goes well. */
  readonly assignment: { readonly deviceId: string; readonly assignedHub: string };
  /** Their client, to the end of its process. */
  runTheirs(): Promise<Aftermath & { readonly run: ActorRun }>;
  /** Our client, to the end of its last registration. */
  runOurs(): Promise<Aftermath & { readonly outcome: RegistrationResult | { readonly error: unknown } }>;
}

/** Far beyond what either side needs, so that only a client that does not end of its own accord meets it. */
const boundMs = 20_000;
const settleMs = 2_000;
const keyDevice = 'key-device';

/** Sets the scene. */
export async function startDefectStand(defect: OfficialDefect): Promise<DefectStand> {
  const { situation, attestation } = defect;
  const carrier = carriers.find(({ name }) => name === defect.carrier);
  if (carrier === undefined) throw new Error(`no carrier ${defect.carrier}`);
  const resources = new AsyncDisposableStack();
  try {
    const device = resources.use(await startDevice({ retryAfterSeconds: situation.retryAfterSeconds ?? 0 }));
    const { emulator, simulator } = device;
    const { idScope, caPem } = emulator;
    const registrationId = attestation === 'tpm' ? device.registrationId : keyDevice;
    const { primaryKey: key } = await emulator.createSymmetricKeyEnrollment({
      registrationId: keyDevice,
      provisioningStatus: situation.isDisabled === true ? 'disabled' : 'enabled',
    });
    const endpoint = new URL(carrier.endpoint(emulator));
    const proxy = await startNetworkProxy(Number(endpoint.port));
    if (situation.isServiceDown === true) await proxy[Symbol.asyncDispose]();
    else resources.use(proxy);
    const directory = await mkdtemp(join(tmpdir(), 'endorse-defect-'));
    resources.defer(() => rm(directory, { recursive: true }));

    const host = `localhost:${proxy.port}`;
    const official = await officialEnvironment(
      { idScope, caPem, endpoints: { ...emulator.endpoints, http: `https://${host}` } },
      `${endpoint.protocol}//${host}`,
      directory,
    );

    const theirClient = (): Promise<ActorRun> =>
      runActor('official-defects.cjs', {
        nodeArguments: [...official.nodeArguments, '--require', actorPath('hasten-timers.cjs')],
        timeoutMs: boundMs,
        environment: {
          ...official.environment,
          ...(situation.hasPort === true ? { ENDORSE_HOST: host } : {}),
          ENDORSE_CARRIER: carrier.name,
          ENDORSE_ATTESTATION: attestation,
          ENDORSE_TPM: simulator.address,
          ENDORSE_REGISTRATION_ID: registrationId,
          ENDORSE_SYMMETRIC_KEY: Buffer.from(key.reveal()).toString('base64'),
          ENDORSE_REGISTRATIONS: String(situation.registrations ?? 1),
          ENDORSE_CANCEL: situation.cancel ?? 'never',
          ENDORSE_TRANSPORT_OPTIONS: JSON.stringify({ timeoutInterval: situation.requestTimeoutMs }),
          ENDORSE_HASTENED_MS: String(situation.hastenedMs ?? []),
        },
      });

    const createRegistration = (
      client: TpmSecurityClient | SymmetricKeySecurityClient,
      defaults: RegistrationDefaults,
    ): TpmRegistration | SymmetricKeyRegistration => {
      const parts = [host, idScope, carrier.create(caPem)] as const;
      return client.kind === 'tpm'
        ? new TpmRegistration(...parts, client, defaults)
        : new SymmetricKeyRegistration(...parts, client, defaults);
    };

    const ourClient = async (): Promise<RegistrationResult> => {
      await using client =
        attestation === 'tpm'
          ? await device.openTpm()
          : createSymmetricKeySecurityClient({ registrationId: keyDevice, key });
      const registration = createRegistration(client, {
        deadlineMs: boundMs,
        stepTimeoutMs: situation.requestTimeoutMs,
        // Once more is enough where trying again helps, and short where it does not.
        retry: { maxRetries: 1, baseDelayMs: 1 },
        onProgress: ({ event }) => {
          if (event === 'waiting' && situation.cancel === 'between-polls') void registration.cancel();
        },
      });
      let result: RegistrationResult | undefined;
      for (let round = 0; round < (situation.registrations ?? 1); round += 1) {
        const registering = registration.register();
        if (situation.cancel === 'at-once') void registration.cancel();
        result = await registering;
      }
      if (result === undefined) throw new Error('nothing was registered');
      return result;
    };

    const inSituation = async <Outcome>(run: () => Promise<Outcome>): Promise<Aftermath & Outcome> => {
      const before = await device.heldBesideIdentityKey();
      emulator.faults.clear();
      for (const rule of situation.faults ?? []) emulator.faults.add(rule);
      const startedAt = performance.now();
      const outcome = await run();
      const wallMs = performance.now() - startedAt;
      // The other end learns of a closed connection a moment later.
      await vi
        .waitUntil(() => proxy.deviceConnections === 0, { timeout: settleMs, interval: 5 })
        .catch(() => undefined);
      const { matched: requests } = emulator.faults.list()[0] ?? {};
      const tpm = { before, after: await device.heldBesideIdentityKey() };
      return { ...outcome, requests, openConnections: proxy.deviceConnections, wallMs, tpm };
    };

    return {
      assignment: { deviceId: registrationId, assignedHub: emulator.assignedHub },
      runTheirs: () => inSituation(async () => ({ run: await theirClient() })),
      runOurs: () =>
        inSituation(async () => ({
          outcome: await ourClient().catch((error: unknown) => ({ error })),
        })),
      [Symbol.asyncDispose]: () => resources.disposeAsync(),
    };
  } catch (error) {
    await resources.disposeAsync();
    throw error;
  }
}
