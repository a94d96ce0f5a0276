/**
 * A device, its service, and faults between them and inside the TPM: runs one registration with one fault and tells how
 * it ended and what it left behind.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { startEmulator } from '@endorse/emulator';
import type { AttestationKind, RegistrationProgress, SecurityClient } from '@endorse/interface';
import { Secret, isEndorseError } from '@endorse/interface';
import { register } from '@endorse/registration-core';
import { createSymmetricKeySecurityClient } from '@endorse/security-symmetric-key';
import { createTpmSecurityClient } from '@endorse/security-tpm';
import { createX509SecurityClient } from '@endorse/security-x509';
import { createTestAuthority } from '@endorse/testkit';
import { readTpmSnapshot, startTpmSimulator } from '@endorse/tpm-simulator';
import { carriers } from '../carriers.ts';
import type { Carrier } from '../carriers.ts';
import type { FaultCase } from './fault-case.ts';
import { startNetworkProxy } from './network-proxy.ts';
import type { NetworkProxy } from './network-proxy.ts';
import { startTpmProxy } from './tpm-proxy.ts';

/** How a registration with a fault ended. */
export type FaultOutcome =
  | { readonly kind: 'succeeded'; readonly retries: number }
  | { readonly kind: 'typed-error'; readonly code: string }
  /** What must not happen: an error without a code, or one that says a program is wrong. */
  | { readonly kind: 'untyped-error'; readonly error: unknown };

/** The outcome and what can be said about the device afterwards. */
export interface FaultReport {
  readonly outcome: FaultOutcome;
  readonly wallMs: number;
  /** False when the fault came too late for this registration. */
  readonly struck: boolean;
  /** What the TPM holds besides its identity key and did not hold before, or the other way round. Empty is good. */
  readonly tpmDifferences: readonly string[];
  /** Connections of the device that are still open. */
  readonly openConnections: number;
}

/** How persistent the device is. */
export interface FaultStandOptions {
  /** False: neither requests nor commands of the TPM are repeated. Default true. */
  readonly retries?: boolean;
}

/** A stand for any number of cases, one after the other. */
export interface FaultStand extends AsyncDisposable {
  /** Commands that a registration without a fault sends to the TPM, by their codes. */
  readonly tpmCommandCodes: readonly number[];
  /** Runs a case. */
  run(faultCase: FaultCase): Promise<FaultReport>;
}

/** Longest duration of a registration; a stalled TPM takes all of it. */
export const standDeadlineMs = 3_000;

/** A request that gets no answer is repeated after this time. */
const stepTimeoutMs = 400;
/** Shortens the bounds of TPM commands: 500 ms for the simple ones, 3 s for those with a private key. */
const timeoutFactor = 0.1;
const settleMs = 2_000;
const pollMs = 5;
const identityKeyHandles = [0x8100_0100, 0x8100_0101];

/** Starts TPM, service and proxies, and enrolls the device in every way there is. */
export async function startFaultStand(options: FaultStandOptions = {}): Promise<FaultStand> {
  const resources = new AsyncDisposableStack();
  try {
    const simulator = resources.use(await startTpmSimulator({ provisioned: true }));
    const tpm = resources.use(await startTpmProxy(simulator.address));
    const emulator = resources.use(await startEmulator());
    const clients = await enrollEverything(emulator, simulator.address);
    const proxies = new Map<Carrier, NetworkProxy>();
    for (const carrier of carriers) {
      const proxy = await startNetworkProxy(Number(new URL(carrier.endpoint(emulator)).port));
      proxies.set(carrier, resources.use(proxy));
    }
    const persistence =
      options.retries === false ? ({ request: 0, tpmMs: 0 } as const) : ({ request: 4, tpmMs: 500 } as const);

    const heldBesideIdentityKey = async (): Promise<ReadonlySet<string>> => {
      const { persistent, ...rest } = await readTpmSnapshot(simulator.address);
      const others = persistent.filter((handle) => !identityKeyHandles.includes(handle));
      return new Set(Object.values({ ...rest, others }).flatMap((handles) => handles.map(hex)));
    };

    const run = async (faultCase: FaultCase): Promise<FaultReport> => {
      const { injection, attestation } = faultCase;
      const carrier = carriers.find(({ name }) => name === faultCase.carrier);
      const proxy = carrier === undefined ? undefined : proxies.get(carrier);
      if (carrier === undefined || proxy === undefined) throw new Error(`no carrier ${faultCase.carrier}`);
      const before = await heldBesideIdentityKey();
      const struckBefore = proxy.struck;
      tpm.arm(injection.where === 'tpm' ? injection.fault : undefined, commandOf(injection));
      const onStep = (step: string): void => {
        if (injection.where === 'network' && injection.step === step) proxy.arm(injection);
      };
      onStep('connect');
      let retries = 0;
      const onProgress = (progress: RegistrationProgress): void => {
        if (progress.event === 'retry-scheduled') retries += 1;
        if (retries === 0) onStep(stepOf(progress) ?? '');
      };
      const startedAt = performance.now();
      const outcome = await attempt(async () => {
        await using client = await openClient(attestation);
        await register({
          provisioningHost: `localhost:${proxy.port}`,
          idScope: emulator.idScope,
          transport: carrier.create(emulator.caPem),
          securityClient: client,
          deadlineMs: standDeadlineMs,
          stepTimeoutMs,
          retry: { maxRetries: persistence.request, baseDelayMs: 1, pollDelayMs: 1 },
          onProgress,
        });
        return { kind: 'succeeded', retries };
      });
      const wallMs = performance.now() - startedAt;
      const struck = injection.where === 'tpm' ? tpm.struck : proxy.struck > struckBefore;
      proxy.disarm();
      tpm.arm(undefined);
      const openConnections = await untilNone(() => proxy.deviceConnections + tpm.deviceConnections);
      const after = await heldBesideIdentityKey();
      const tpmDifferences = [...differences(before, after), ...differences(after, before)];
      return { outcome, wallMs, struck, tpmDifferences, openConnections };
    };

    const openClient = async (attestation: AttestationKind): Promise<SecurityClient & AsyncDisposable> => {
      if (attestation !== 'tpm') return clients[attestation]();
      const { tpmMs } = persistence;
      return createTpmSecurityClient({
        tpm: tpm.address,
        timeoutFactor,
        retry: { resendForMs: tpmMs, testingForMs: tpmMs, backOffForMs: tpmMs },
      });
    };

    // Without a fault, to learn which commands there are; the fault is meant for one that never comes.
    await run({
      carrier: 'http',
      attestation: 'tpm',
      injection: { where: 'tpm', command: Number.MAX_SAFE_INTEGER, fault: 'stall' },
    });
    return {
      tpmCommandCodes: tpm.lastCommandCodes,
      run,
      [Symbol.asyncDispose]: () => resources.disposeAsync(),
    };
  } catch (error) {
    await resources.disposeAsync();
    throw error;
  }
}

type SoftwareClients = Readonly<Record<'symmetric-key' | 'x509', () => SecurityClient & AsyncDisposable>>;

async function enrollEverything(
  emulator: Awaited<ReturnType<typeof startEmulator>>,
  simulatorAddress: string,
): Promise<SoftwareClients> {
  const client = await createTpmSecurityClient({ tpm: simulatorAddress });
  try {
    await emulator.createTpmEnrollment({
      registrationId: await client.getRegistrationId(),
      endorsementKey: await client.getEndorsementKey(),
    });
  } finally {
    await client.close();
  }
  const registrationId = 'key-device';
  const { primaryKey: key } = await emulator.createSymmetricKeyEnrollment({ registrationId });
  const authority = createTestAuthority();
  const { certificatePem, privateKeyPem } = authority.issue({ commonName: 'certificate-device' });
  await emulator.createX509Enrollment({
    registrationId: 'certificate-device',
    primaryCertificate: certificatePem,
  });
  return {
    'symmetric-key': () => createSymmetricKeySecurityClient({ registrationId, key }),
    x509: () => createX509SecurityClient({ certificatePem, privateKeyPem: Secret.fromText(privateKeyPem) }),
  };
}

function commandOf(injection: FaultCase['injection']): number {
  return injection.where === 'tpm' ? injection.command : 0;
}

function stepOf(progress: RegistrationProgress): string | undefined {
  if (progress.event === 'challenge-requested') return 'challenge';
  if (progress.event === 'register-sent') return 'register';
  return progress.event === 'operation-polled' || progress.event === 'waiting' ? 'poll' : undefined;
}

async function attempt(run: () => Promise<FaultOutcome>): Promise<FaultOutcome> {
  try {
    return await run();
  } catch (error) {
    if (!isEndorseError(error) || error instanceof TypeError || error instanceof RangeError) {
      return { kind: 'untyped-error', error };
    }
    return { kind: 'typed-error', code: error.code };
  }
}

async function untilNone(count: () => number): Promise<number> {
  const deadline = performance.now() + settleMs;
  while (count() > 0 && performance.now() < deadline) await delay(pollMs);
  return count();
}

function differences(one: ReadonlySet<string>, other: ReadonlySet<string>): string[] {
  return [...one].filter((handle) => !other.has(handle));
}

function hex(handle: number): string {
  return `0x${handle.toString(16).padStart(8, '0')}`;
}
