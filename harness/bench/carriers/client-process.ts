import { startJsonLinesChild } from '../support/json-lines-child.ts';
import type { EmulatorReady } from '../support/emulator-process.ts';
import type { InstalledProject } from '../support/projects.ts';
import type { Carrier } from '../support/carrier.ts';

/** What one registration took, in milliseconds. */
export interface RegistrationTimes {
  readonly wallMs: number;
  /** CPU time of the client's process. */
  readonly cpuMs: number;
}

/** A client in a process of its own, which registers when it is told to. */
export interface ClientProcess extends AsyncDisposable {
  register(): Promise<RegistrationTimes>;
}

/** Where and as whom a client registers. */
export interface ClientSetting {
  readonly carrier: Carrier;
  /** `localhost:port`; not that of the emulator when something stands before it. */
  readonly host: string;
  readonly emulator: EmulatorReady;
}

/** Starts one of our actors: our client, or one that is the floor. */
export function startOurs(actor: string, project: InstalledProject, setting: ClientSetting): ClientProcess {
  return startClient([`${project.actors}/${actor}`], {
    ...deviceEnvironment(setting),
    ENDORSE_HOST: setting.host,
  });
}

/** Starts the official client; for what is HTTP it insists on port 443. */
export function startOfficial(project: InstalledProject, setting: ClientSetting): ClientProcess {
  const { carrier, host, emulator } = setting;
  const hasOwnPort = carrier === 'amqp' || carrier === 'mqtt';
  return startClient(
    ['--require', `${project.actors}/redirect-port.cjs`, `${project.actors}/official-carrier.cjs`],
    {
      ...deviceEnvironment(setting),
      ENDORSE_HOST: hasOwnPort ? host : 'localhost',
      ENDORSE_REDIRECT_443: new URL(`https://${host}`).port,
      NODE_EXTRA_CA_CERTS: emulator.caFile,
    },
  );
}

function deviceEnvironment({ carrier, emulator }: ClientSetting): Readonly<Record<string, string>> {
  return {
    ENDORSE_CARRIER: carrier,
    ENDORSE_ID_SCOPE: emulator.idScope,
    ENDORSE_ATTESTATION: 'symmetric-key',
    ENDORSE_REGISTRATION_ID: 'device-0',
    // The key of every device of `emulator-under-load.mjs`.
    ENDORSE_SYMMETRIC_KEY: Buffer.alloc(32, 7).toString('base64'),
    ENDORSE_CA_FILE: emulator.caFile,
  };
}

function startClient(
  nodeArguments: readonly string[],
  environment: Readonly<Record<string, string>>,
): ClientProcess {
  const child = startJsonLinesChild(nodeArguments, environment);
  return {
    register: async () => {
      const answer = (await child.ask('')) as RegistrationTimes & { readonly status: string };
      const { status, wallMs, cpuMs } = answer;
      if (status !== 'assigned') throw new Error(`a registration ended as ${status}`);
      return { wallMs, cpuMs };
    },
    [Symbol.asyncDispose]: async () => {
      await child.end();
    },
  };
}
