import { setImmediate } from 'node:timers/promises';
import type { NonceDecryptingSecurityClient } from '@endorse/interface';
import type { ProvisioningClientError, ProvisioningClientOptions } from '@endorse/provisioning-client';
import {
  ProvDeviceResult,
  ProvisioningClientLL,
  nameOfResult,
  nameOfStatus,
} from '@endorse/provisioning-client';
import { createHttpPump } from '@endorse/transport-http/pump';
import type { DeviceFixture } from './device-fixture.ts';

/** Both dialects of the pump-driven client. */
export const dialects: readonly ['drs', 'dps'] = ['drs', 'dps'];

/** A client in a loop, and what its callbacks were told. */
export interface LoopingClient extends Disposable {
  readonly client: ProvisioningClientLL;
  /** Statuses and results, in order, by their short names. */
  readonly told: readonly string[];
  /** States in the order they were entered. */
  readonly states: readonly string[];
  readonly log: readonly string[];
  /** Begins a registration. */
  register(): void;
  /** Turns the loop until a condition holds; fails after 20 s. */
  turnUntil(condition: () => boolean): Promise<void>;
  /** Begins a registration and turns the loop to its end; resolves with the result and the hub. */
  run(): Promise<string>;
  readonly lastError: ProvisioningClientError | undefined;
}

/** Makes a client for a device; it logs everything, and polls every 20 ms. */
export async function loopClient(
  { emulator }: Pick<DeviceFixture, 'emulator'>,
  securityClient: NonceDecryptingSecurityClient,
  options: Partial<ProvisioningClientOptions> = {},
): Promise<LoopingClient> {
  const told: string[] = [];
  const states: string[] = [];
  const log: string[] = [];
  const pump = createHttpPump({ ca: emulator.caPem });
  const client = await ProvisioningClientLL.create(emulator.provisioningHost, emulator.idScope, pump, {
    throttleMs: 20,
    ...options,
    securityClient,
    logger: {
      log: (_level, event, fields = {}) => {
        if (event === 'state-changed') states.push(String(fields['to']));
        log.push(`${event} ${JSON.stringify(fields)}`);
      },
    },
  });
  if (client === null) throw new Error('the client could not be made');
  client.setOption('logtrace', true);
  const register = (): void => {
    const result = client.registerDevice(
      (registerResult, hub, deviceId) =>
        told.push(
          [nameOfResult(registerResult), hub, deviceId].join(' ').trim().replace('PROV_DEVICE_RESULT_', ''),
        ),
      undefined,
      (status) => told.push(nameOfStatus(status).replace('PROV_DEVICE_REG_STATUS_', '')),
    );
    if (result !== ProvDeviceResult.OK) throw new Error(nameOfResult(result));
  };
  const turnUntil = async (condition: () => boolean): Promise<void> => {
    const giveUpAt = performance.now() + 20_000;
    while (!condition()) {
      if (performance.now() > giveUpAt)
        throw new Error(`the loop turns in ${client.state}; told: ${told.join(', ')}`);
      client.doWork();
      await setImmediate();
    }
  };
  return {
    client,
    told,
    states,
    log,
    register,
    turnUntil,
    run: async () => {
      const before = told.length;
      register();
      const isResult = (line: string): boolean =>
        !/^(?:CONNECTED|REGISTERING|ASSIGNING|ASSIGNED|ERROR)$/.test(line);
      await turnUntil(() => told.slice(before).some(isResult));
      return told.at(-1) ?? '';
    },
    get lastError() {
      return client.lastError;
    },
    [Symbol.dispose]: () => client.destroy(),
  };
}
