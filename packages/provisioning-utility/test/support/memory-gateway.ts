/** A gateway in memory behind the client's interface: state, a record of calls, and faults that a test plans. */
import type { Secret } from '@endorse/interface';
import { TransportError } from '@endorse/interface';
import type {
  DpsProvisioning,
  EdgeConfiguration,
  GatewayClient,
  GatewayService,
  GatewaySession,
  GatewaySettings,
  SettingWrite,
} from '@endorse/thingspro-edge';
import { GatewayError, gatewayProfiles } from '@endorse/thingspro-edge';

/** Names of the calls of a session that write. */
const writes: ReadonlySet<string> = new Set([
  'setTime',
  'setHostName',
  'writeProvisioning',
  'setProvisioningEnabled',
  'resetEdge',
  'writeSetting',
  'changePassword',
  'prepare',
]);

/** A gateway. Tests change its fields. */
export class MemoryGateway {
  serialNumber: string;
  modelName = 'AIG-301-T-AZU-LX';
  password = 'admin@123';
  passwordNeverChanged = true;
  fingerprint = 'ab'.repeat(32);
  endorsementKey: string;
  /** Shown only after DPS with TPM was selected. */
  keyIsHidden = false;
  hasTpm = true;
  timeOffsetMs = 0;
  provisioning: EdgeConfiguration['provisioning'];
  hostName = 'Moxa';
  ssh = true;
  serialConsole = true;
  discovery = true;
  httpsPort: number;
  services: GatewayService[] = [
    { id: 'opcuaserver', available: true, enabled: true },
    { id: 'dhcpserver2', available: false, enabled: false },
  ];
  /** Calls in order; `signIn` with the password that was tried. */
  readonly calls: string[] = [];
  openSessions = 0;
  /** Called before each call; what it throws the call rejects with. */
  beforeCall: (name: string) => void | Promise<void> = () => undefined;
  readonly clock: { now(): number };

  constructor(options: { serial: string; endorsementKey: string; clock: { now(): number }; port?: number }) {
    this.serialNumber = options.serial;
    this.endorsementKey = options.endorsementKey;
    this.clock = options.clock;
    this.httpsPort = options.port ?? 8443;
    this.provisioning = {
      enabled: false,
      source: 'manual',
      method: 'tpm',
      globalEndpoint: undefined,
      scopeId: undefined,
      registrationId: undefined,
      endorsementKey: undefined,
    };
  }

  /** Calls that wrote. */
  get writes(): readonly string[] {
    return this.calls.filter((call) => writes.has(call.split(' ')[0] ?? ''));
  }

  /** A client of this gateway at a port. */
  client(port: number): GatewayClient {
    return {
      address: `gateway:${port}`,
      signIn: async ({ name, password }) => {
        if (port !== this.httpsPort) {
          throw new TransportError('ERR_TRANSPORT_CONNECT', 'refused', {
            phase: 'connect',
            retryable: false,
          });
        }
        await this.call(`signIn ${name} ${password.revealText()}`);
        if (password.revealText() !== this.password) {
          throw new GatewayError('ERR_GATEWAY_SIGN_IN_REFUSED', 'refused', { status: 401 });
        }
        return this.session();
      },
    };
  }

  private async call(name: string): Promise<void> {
    await this.beforeCall(name.split(' ')[0] ?? '');
    this.calls.push(name);
  }

  private configuration(): EdgeConfiguration {
    const isShown = this.hasTpm && !this.keyIsHidden;
    return {
      runtime: { version: '1.4', status: this.provisioning.enabled ? 'running' : undefined },
      provisioning: { ...this.provisioning, endorsementKey: isShown ? this.endorsementKey : undefined },
    };
  }

  private session(): GatewaySession {
    this.openSessions += 1;
    let isOpen = true;
    const close = async (): Promise<void> => {
      if (isOpen) this.openSessions -= 1;
      isOpen = false;
    };
    const { passwordNeverChanged, fingerprint } = this;
    return {
      user: { name: 'admin', passwordNeverChanged, mustChangePassword: false },
      profile: gatewayProfiles['aig-301'],
      fingerprint,
      getIdentity: async () => {
        await this.call('getIdentity');
        return {
          serialNumber: this.serialNumber,
          modelName: this.modelName,
          hostName: this.hostName,
          softwareVersion: '2.4.1',
          firmwareVersion: '1.6.0',
          description: undefined,
        };
      },
      setHostName: async (hostName) => {
        await this.call('setHostName');
        this.hostName = hostName;
      },
      getNetworkPorts: async () => [],
      getTime: async () => this.clock.now() + this.timeOffsetMs,
      setTime: async (now) => {
        await this.call('setTime');
        this.timeOffsetMs = now - this.clock.now();
      },
      getEdgeConfiguration: async () => {
        await this.call('getEdgeConfiguration');
        return this.configuration();
      },
      readEndorsementKey: async ({ prepare = false } = {}) => {
        await this.call('readEndorsementKey');
        if (prepare && this.keyIsHidden) {
          await this.call('prepare');
          this.keyIsHidden = false;
          this.provisioning = { ...this.provisioning, source: 'dps', method: 'tpm' };
        }
        const shown = this.configuration().provisioning.endorsementKey;
        if (shown !== undefined) return shown;
        throw new GatewayError('ERR_GATEWAY_NO_ENDORSEMENT_KEY', 'no key', { status: 0 });
      },
      writeProvisioning: async (provisioning: DpsProvisioning) => {
        await this.call('writeProvisioning');
        this.provisioning = { ...this.provisioning, source: 'dps', method: 'tpm', ...provisioning };
      },
      setProvisioningEnabled: async (enabled) => {
        await this.call('setProvisioningEnabled');
        this.provisioning = { ...this.provisioning, enabled };
      },
      restartEdge: async () => this.call('restartEdge'),
      resetEdge: async () => this.call('resetEdge'),
      waitForEdgeRuntime: async () => this.configuration(),
      getSettings: async () => {
        await this.call('getSettings');
        return this.settings();
      },
      writeSetting: async (write) => {
        await this.call(`writeSetting ${write.setting}${write.setting === 'service' ? `:${write.id}` : ''}`);
        this.apply(write);
      },
      changePassword: async ({ newPassword }: { newPassword: Secret }) => {
        await this.call('changePassword');
        this.password = newPassword.revealText();
        this.passwordNeverChanged = false;
      },
      replaceHttpsCertificate: async () => {
        await this.call('replaceHttpsCertificate');
        return fingerprint;
      },
      close,
      [Symbol.asyncDispose]: close,
    };
  }

  private settings(): GatewaySettings {
    return {
      hostName: this.hostName,
      discovery: this.discovery,
      ssh: { enabled: this.ssh, port: 22 },
      serialConsole: this.serialConsole,
      https: { enabled: true, port: this.httpsPort },
      services: this.services,
    };
  }

  private apply(write: SettingWrite): void {
    switch (write.setting) {
      case 'host-name':
        this.hostName = write.value;
        break;
      case 'discovery':
        this.discovery = write.value;
        break;
      case 'ssh':
        this.ssh = write.value.enabled;
        break;
      case 'serial-console':
        this.serialConsole = write.value;
        break;
      case 'https-port':
        this.httpsPort = write.value;
        break;
      case 'service':
        this.services = this.services.map((service) =>
          service.id === write.id ? { ...service, enabled: write.value } : service,
        );
        break;
      case 'https':
        throw new Error('no test turns HTTPS off');
      default:
        write satisfies never;
    }
  }
}
