import type { Clock } from '@endorse/interface';
import type { GatewayFamily, GatewayService } from '@endorse/thingspro-edge';
import type { EdgeRuntime, EdgeSettings } from './edge-runtime.ts';
import type { GatewayFault, GatewaySpec } from './spec.ts';
import { factoryPassword } from './spec.ts';

/** Something that happened to a gateway, for logs and tests; holds no secret. */
export type DeviceEvent =
  | { readonly event: 'signed-in' | 'sign-in-refused' | 'signed-out' }
  | { readonly event: 'setting-changed'; readonly setting: string; readonly value: string }
  | { readonly event: 'provisioning-written' }
  | { readonly event: 'registered'; readonly assignedHub: string; readonly deviceId: string }
  | { readonly event: 'registration-failed'; readonly code: string };

/** What a gateway's API needs of the gateway around it. */
export interface DevicePorts {
  readonly clock: Clock;
  readonly edge: EdgeRuntime;
  /** The endorsement key it shows, base64 of TPM2B_PUBLIC. */
  readonly endorsementKey: () => Promise<string>;
  readonly setDiscovery: (enabled: boolean) => Promise<void>;
  /** Moves the API to another port, after the answer. */
  readonly movePort: (port: number) => void;
  /** Shows another certificate from the next connection on. Throws for what cannot be one. */
  readonly useCertificate: (certificatePem: string, keyPem: string) => void;
  readonly onEvent: (event: DeviceEvent) => void;
}

/** The state of a gateway that its API reads and writes. */
export class Device {
  readonly spec: GatewaySpec;
  readonly family: GatewayFamily;
  readonly ports: DevicePorts;
  /** Open sessions, by token. */
  readonly sessions: Map<string, { readonly id: number; readonly createdAt: number }> = new Map();
  /** When sign-ins failed, in milliseconds since 1970. */
  readonly failures: number[] = [];
  hostName = 'moxa';
  password: string;
  passwordChangedAt: string | null;
  discovery = true;
  serialConsole = true;
  ssh: { readonly enable: boolean; readonly port: number } = { enable: false, port: 22 };
  httpsPort: number;
  certificateFile = 'default.crt';
  services: readonly GatewayService[];
  provisioning: EdgeSettings;
  /** Difference between the gateway's clock and ours. */
  timeOffsetMs: number;
  issued = 0;
  busyAnswers: number;

  constructor(spec: GatewaySpec, family: GatewayFamily, ports: DevicePorts) {
    this.spec = spec;
    this.family = family;
    this.ports = ports;
    this.password = this.has('claimed') ? 'what-the-owner-chose-7' : factoryPassword;
    this.passwordChangedAt = this.has('claimed') ? '2026-01-01T00:00:00Z' : null;
    this.httpsPort = spec.port;
    this.timeOffsetMs = 0;
    this.busyAnswers = this.has('busy') ? 2 : 0;
    this.provisioning = { enable: false, source: 'manual', method: 'tpm' };
    this.services = defaultServices;
  }

  /** True when the gateway has this fault. */
  has(fault: GatewayFault): boolean {
    return this.spec.faults.includes(fault);
  }

  /** Tells that a setting has a new value. */
  changed(setting: string, value: unknown): void {
    this.ports.onEvent({ event: 'setting-changed', setting, value: JSON.stringify(value) });
  }
}

const defaultServices: readonly GatewayService[] = [
  { id: 'lan1', available: true, enabled: true },
  { id: 'lan2', available: true, enabled: true },
  { id: 'dhcpserver1', available: false, enabled: false },
  { id: 'modbusmaster', available: true, enabled: true },
  { id: 'opcuaserver', available: true, enabled: true },
  { id: 'provision', available: true, enabled: true },
  { id: 'provisionschedule', available: true, enabled: true },
  { id: 'httpservice', available: true, enabled: false },
  { id: 'httpsservice', available: true, enabled: true },
  { id: 'ntp', available: true, enabled: true },
  { id: 'sshserver', available: true, enabled: false },
  { id: 'localconsole', available: true, enabled: true },
  { id: 'syslog', available: true, enabled: true },
];
