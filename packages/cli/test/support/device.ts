import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmulator, type Emulator, type EmulatorOptions } from '@endorse/emulator';
import { createTpmSecurityClient, type TpmSecurityClientHandle } from '@endorse/security-tpm';
import { startTpmSimulator, type TpmSimulator, type TpmSimulatorOptions } from '@endorse/tpm-simulator';

/** A temporary directory that is removed in the end. */
export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string;
}

/** Makes a temporary directory. */
export async function makeDirectory(): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), 'endorse-cli-test-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** What an enrollment of a TPM needs. */
export interface TpmIdentity {
  readonly registrationId: string;
  readonly endorsementKey: Uint8Array;
}

/** Opens the TPM for one piece of work and closes it again: a simulator serves one client at a time. */
export async function withTpm<Value>(
  simulator: TpmSimulator,
  work: (client: TpmSecurityClientHandle) => Promise<Value>,
): Promise<Value> {
  const client = await createTpmSecurityClient({ tpm: simulator.address });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

/** Reads what an enrollment needs. */
export function readIdentity(simulator: TpmSimulator): Promise<TpmIdentity> {
  return withTpm(simulator, async (client) => ({
    registrationId: await client.getRegistrationId(),
    endorsementKey: await client.getEndorsementKey(),
  }));
}

/** A simulated TPM and an emulator that knows it. */
export interface EnrolledDevice extends AsyncDisposable, TpmIdentity {
  readonly simulator: TpmSimulator;
  readonly emulator: Emulator;
  readonly directory: string;
  /** Arguments of `endorse register` for this device. */
  readonly registerArgs: readonly string[];
  readonly caFile: string;
}

/** Starts both and enrolls the one with the other. */
export async function startEnrolledDevice(
  options: {
    readonly simulator?: TpmSimulatorOptions;
    readonly emulator?: EmulatorOptions;
    readonly enroll?: boolean;
  } = {},
): Promise<EnrolledDevice> {
  const stack = new AsyncDisposableStack();
  try {
    const directory = stack.use(await makeDirectory());
    const simulator = stack.use(await startTpmSimulator({ provisioned: true, ...options.simulator }));
    const emulator = stack.use(await startEmulator(options.emulator));
    const caFile = join(directory.path, 'ca.pem');
    await writeFile(caFile, emulator.caPem);
    const identity = await readIdentity(simulator);
    if (options.enroll ?? true) await emulator.createTpmEnrollment(identity);
    return {
      ...identity,
      simulator,
      emulator,
      directory: directory.path,
      caFile,
      registerArgs: [
        'register',
        ...['--host', emulator.provisioningHost, '--id-scope', emulator.idScope],
        ...['--ca', caFile, '--tpm', simulator.address],
      ],
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}
