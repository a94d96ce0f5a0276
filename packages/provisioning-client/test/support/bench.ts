import type { LogLevel, SecurityClient, Transport } from '@endorse/interface';
import { VirtualClock } from '@endorse/interface/virtual-clock';
import type { ProvisioningClientOptions } from '@endorse/provisioning-client';
import { ProvisioningClientLL, nameOfResult, nameOfStatus } from '@endorse/provisioning-client';
import type { FakeTpm } from './fake-tpm.ts';
import { createFakeTpm } from './fake-tpm.ts';
import type { ScriptedPeer } from './scripted-peer.ts';
import { createScriptedPeer } from './scripted-peer.ts';

/** A client on a bench: clock, peer and TPM in the hands of the test. */
export interface Bench {
  readonly client: ProvisioningClientLL;
  readonly peer: ScriptedPeer;
  readonly tpm: FakeTpm;
  readonly clock: VirtualClock;
  /** What the callbacks were told, in order: `status CONNECTED`, `error TIMEOUT`, `result OK hub device context`. */
  readonly told: string[];
  /** States in the order they were entered. */
  readonly states: string[];
  readonly logLines: { readonly level: LogLevel; readonly text: string }[];
  /** Calls `doWork()` once, or `times`, and lets promises settle. */
  turn(times?: number): Promise<void>;
  /** Registers with callbacks that note what they are told. */
  register(): number;
  /** Turns until the peer is asked for something; fails after 20 turns. */
  untilAsked(): Promise<void>;
  /** Registers, connects, and turns until the first request is out. */
  begin(): Promise<void>;
}

export type BenchOptions = Partial<Omit<ProvisioningClientOptions, 'securityClient'>> & {
  readonly peer?: ScriptedPeer;
  readonly tpm?: FakeTpm;
  readonly securityClient?: SecurityClient;
  readonly transport?: Transport;
  readonly uri?: string;
  readonly scopeId?: string | null;
};

/** Sets a client up; the dialect is `drs` unless told otherwise. */
export async function startBench(options: BenchOptions = {}): Promise<Bench> {
  const { peer = createScriptedPeer(), tpm = createFakeTpm(), transport, securityClient = tpm } = options;
  const clock = new VirtualClock();
  const told: string[] = [];
  const states: string[] = [];
  const logLines: { level: LogLevel; text: string }[] = [];
  const { uri = 'dps.example.test', scopeId = '0ne00000001', ...rest } = options;
  const client = await ProvisioningClientLL.create(uri, scopeId, transport ?? peer.provider, {
    dialect: 'drs',
    clock,
    throttleMs: 2000,
    onError: (result) => told.push(`error ${short(nameOfResult(result))}`),
    ...rest,
    securityClient,
    logger: {
      log: (level, event, fields = {}) => {
        if (event === 'state-changed') states.push(String(fields['to']));
        logLines.push({ level, text: `${event} ${JSON.stringify(fields)}` });
      },
    },
  });
  if (client === null) throw new Error('the client could not be made');
  const turn = async (times = 1): Promise<void> => {
    for (let count = 0; count < times; count += 1) {
      client.doWork();
      await settle();
    }
  };
  const register = (): number =>
    client.registerDevice(
      (result, hub, deviceId, context) =>
        told.push(
          `result ${short(nameOfResult(result))} ${String(hub)} ${String(deviceId)} ${String(context)}`,
        ),
      'context',
      (status, context) => told.push(`status ${short(nameOfStatus(status))} ${String(context)}`),
      'status-context',
    );
  const untilAsked = async (): Promise<void> => {
    for (let count = 0; count < 20 && !peer.isAsked; count += 1) await turn();
    if (!peer.isAsked) throw new Error(`nothing was asked; the state is ${client.state}`);
  };
  return {
    client,
    peer,
    tpm,
    clock,
    told,
    states,
    logLines,
    turn,
    register,
    untilAsked,
    begin: async () => {
      register();
      await untilAsked();
      peer.connect();
      await turn();
      await untilAsked();
    },
  };
}

/** Lets every promise that can settle do so. */
export async function settle(): Promise<void> {
  for (let turns = 0; turns < 20; turns += 1) await Promise.resolve();
}

function short(name: string): string {
  return name.replace(/^PROV_DEVICE_(?:RESULT|REG_STATUS)_/, '');
}
