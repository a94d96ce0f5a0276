/**
 * A TPM in a container. Commands go to port 2321 of the image and the simulator's own control (swtpm) or platform
 * (mssim) channel to 2322, which clients expect one above the other on this machine, too.
 */
import { readTpmSnapshot } from '@endorse/tpm-simulator';
import type { CommandCarrier, TpmSnapshot } from '@endorse/tpm-simulator';
import { openTpmDevice } from '@endorse/security-tpm';
import type { GenericContainer, StartedTestContainer } from 'testcontainers';
import { containerEngineError, loadTestcontainers } from '../containers/testcontainers.ts';
import { imageFolder } from '../containers/images.ts';
import { findPortPair } from '../containers/port-pair.ts';
import { untilReady } from '../containers/until-ready.ts';
import type { SimulatorPlan, StartedTpmSimulator } from './simulator.ts';

const commandPort = 2321;
const controlPort = 2322;
/** Ports that were free a moment ago may be taken when the engine binds them. */
const maxPortRaces = 5;

/** Starts the image of the plan, ours being built first where the engine has not got it. */
export async function startContainerSimulator(plan: SimulatorPlan): Promise<StartedTpmSimulator> {
  const { image: generic, timeoutMs, signal } = { ...plan, image: await prepareImage(plan.image) };
  const started = await startOnPortPair(generic);
  const { port } = started;
  let { container } = started;
  const address = `${plan.protocol}://127.0.0.1:${port}`;
  const answers = async (abort: AbortSignal): Promise<void> => void (await snapshot(address, abort));
  const ready = (abort?: AbortSignal): Promise<void> =>
    untilReady(answers, { timeoutMs, signal: abort, state: `waiting for the TPM at ${address}` });
  try {
    await ready(signal);
  } catch (error) {
    await container.stop();
    throw error;
  }
  let stopped: Promise<unknown> | undefined;
  const stop = async (): Promise<void> => void (await (stopped ??= container.stop()));
  return {
    runtime: 'container',
    address,
    restart: async () => {
      await container.restart();
      await ready();
    },
    reset: async () => {
      // The writable layer is the TPM's memory: another container is another TPM.
      await container.stop();
      container = await startOn(generic, port);
      await ready();
    },
    readSnapshot: () => snapshot(address),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function prepareImage(name: string | undefined): Promise<GenericContainer> {
  const { GenericContainer } = await loadTestcontainers();
  if (name !== undefined) return new GenericContainer(name);
  const build = GenericContainer.fromDockerfile(imageFolder('tpm-simulator'));
  return build.build('endorse-tpm-simulator:local', { deleteOnExit: false }).catch((error: unknown) => {
    throw containerEngineError('the image of the TPM simulator cannot be built', error);
  });
}

async function startOnPortPair(
  image: GenericContainer,
): Promise<{ container: StartedTestContainer; port: number }> {
  for (let race = 1; ; race += 1) {
    const port = await findPortPair();
    try {
      return { container: await startOn(image, port), port };
    } catch (error) {
      const isTaken = error instanceof Error && /already (in use|allocated)/.test(error.message);
      if (!isTaken || race === maxPortRaces) {
        throw containerEngineError('the container of the TPM simulator does not start', error);
      }
    }
  }
}

function startOn(image: GenericContainer, port: number): Promise<StartedTestContainer> {
  const exposed = [
    { container: commandPort, host: port },
    { container: controlPort, host: port + 1 },
  ];
  return image.withExposedPorts(...exposed).start();
}

/** Reads over a device, which switches an mssim simulator on first. */
async function snapshot(address: string, signal?: AbortSignal): Promise<TpmSnapshot> {
  const device = await openTpmDevice(address, { signal });
  try {
    return await readTpmSnapshot(device satisfies CommandCarrier, { signal });
  } finally {
    await device.close();
  }
}
