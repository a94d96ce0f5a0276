import type {
  DesiredUpdate,
  DeviceSession,
  DisconnectReason,
  EmulatorEvent,
  IotHub,
  MethodCall,
} from '@endorse/emulator/core';
import type { VirtualClock } from '@endorse/interface/virtual-clock';
import { coreFixture } from './core-fixture.ts';
import { sas } from './software-tpm.ts';

/** A connection that writes down what the hub does with it. */
export interface RecordedConnection {
  readonly session: DeviceSession;
  readonly methods: MethodCall[];
  readonly desired: DesiredUpdate[];
  readonly ends: DisconnectReason[];
}

/** A hub with one device, `Dev-1`, on a virtual clock. */
export interface HubFixture {
  readonly hub: IotHub;
  readonly clock: VirtualClock;
  readonly events: readonly EmulatorEvent[];
  /** A token of the device under a key. */
  readonly token: (key?: Uint8Array, lifetimeMs?: number) => Promise<string>;
  /** Connects the device; throws the code when the hub refuses. */
  readonly connect: (token?: string) => Promise<RecordedConnection>;
}

export const deviceKey = Buffer.alloc(32, 7);

export function hubFixture(): HubFixture {
  const { core, clock, events } = coreFixture({ hubs: [{ name: 'hub', hostName: 'localhost:8443' }] });
  const [hub] = core.hubs;
  if (hub === undefined) throw new Error('no hub');
  hub.writeDevice({ deviceId: 'Dev-1', keys: [deviceKey] });
  const token: HubFixture['token'] = (key = deviceKey, lifetimeMs = 60_000) =>
    sas({ resource: 'localhost:8443/devices/Dev-1', key, expiresAt: clock.now() + lifetimeMs });
  return {
    hub,
    clock,
    events,
    token,
    connect: async (given) => {
      const log = {
        methods: [] as MethodCall[],
        desired: [] as DesiredUpdate[],
        ends: [] as DisconnectReason[],
      };
      const answer = hub.connect(
        { deviceId: 'Dev-1', token: given ?? (await token()) },
        {
          carrier: 'memory',
          deliverMethod: (call) => void log.methods.push(call),
          deliverDesired: (update) => void log.desired.push(update),
          disconnect: (reason) => void log.ends.push(reason),
        },
      );
      if (answer.outcome === 'refused') throw new Error(answer.fault.code);
      return { session: answer.session, ...log };
    },
  };
}
