/** Gateways, a service, a clock and a journal in memory. */
import { Secret, silentLogger } from '@endorse/interface';
import { VirtualClock } from '@endorse/interface/virtual-clock';
import type {
  ApplyPlanOptions,
  CredentialPolicy,
  InventoryDevice,
  Journal,
  JournalEntry,
  PasswordStore,
  ProvisioningJob,
  ProvisioningPlan,
  ProvisioningPorts,
  ProvisioningReport,
  StoredPassword,
} from '@endorse/provisioning-utility';
import { applyPlan, makePlan, readJob } from '@endorse/provisioning-utility';
import { ekTemplateRsa2048, encodeTpm2bPublic } from '@endorse/tpm2';
import { MemoryGateway } from './memory-gateway.ts';
import { MemoryService } from './memory-service.ts';

/** The usual job: everything there is. */
export const wholeJob: ProvisioningJob = readJob(`
service:
  endpoint: my-dps.azure-devices-provisioning.net
  policyName: provisioningserviceowner
  idScope: 0ne000A247E
enrollment:
  iotEdge: true
  initialTwin: { tags: { site: Hannover } }
configure: { ssh: false, serialConsole: false, discovery: false, services: { opcuaserver: false } }
verify: { timeoutSeconds: 60, pauseSeconds: 5 }
`);

/** Base64 of an endorsement key that no TPM has. */
export function endorsementKey(seed: number): string {
  const unique = new Uint8Array(256).fill(seed & 255);
  unique[0] = 0xc5;
  unique[1] = (seed >> 8) & 255;
  // A modulus is odd.
  unique[255] = 0x01;
  return Buffer.from(encodeTpm2bPublic({ ...ekTemplateRsa2048, unique })).toString('base64');
}

/** A journal that survives as long as the test. */
export class MemoryJournal implements Journal {
  readonly earlier: readonly JournalEntry[];
  readonly entries: JournalEntry[] = [];
  beforeAppend: (entry: JournalEntry) => void = () => undefined;

  constructor(earlier: readonly JournalEntry[] = []) {
    this.earlier = earlier;
  }

  async append(entry: JournalEntry): Promise<void> {
    this.beforeAppend(entry);
    this.entries.push(entry);
  }

  /** The journal that a resumed run goes on with. */
  resumed(): MemoryJournal {
    return new MemoryJournal([...this.earlier, ...this.entries]);
  }
}

/** Passwords in memory, with the rule of the file. */
export class MemoryPasswords implements PasswordStore {
  readonly put_: { serial: string; state: string; text: string }[] = [];
  readonly #stored = new Map<string, StoredPassword[]>();

  async get(serial: string): Promise<readonly StoredPassword[]> {
    return this.#stored.get(serial) ?? [];
  }

  async put(serial: string, password: StoredPassword): Promise<void> {
    this.put_.push({ serial, state: password.state, text: password.password.revealText() });
    this.#stored.set(serial, [password]);
  }
}

/** A site. */
export class MemorySite {
  readonly clock = new VirtualClock();
  readonly service = new MemoryService();
  readonly gateways: MemoryGateway[] = [];
  readonly inventory: InventoryDevice[] = [];
  /** Whether a device answers a probe; what its own switch says by default. */
  probe: ((serial: string) => boolean) | undefined;
  passwords: PasswordStore | undefined;
  credentials: CredentialPolicy = {
    factoryDefault: { name: 'admin', password: Secret.fromText('admin@123') },
  };

  constructor(count = 1) {
    for (let index = 0; index < count; index += 1) this.add(`TBBAA12${String(34_500 + index)}`, index + 1);
  }

  /** The first gateway. */
  get gateway(): MemoryGateway {
    const [first] = this.gateways;
    if (first === undefined) throw new Error('the site has no gateway');
    return first;
  }

  add(serial: string, seed: number, row: Partial<InventoryDevice> = {}): MemoryGateway {
    const gateway = new MemoryGateway({ serial, endorsementKey: endorsementKey(seed), clock: this.clock });
    this.gateways.push(gateway);
    const address = `192.168.3.${this.gateways.length}`;
    this.inventory.push({ serial, address, port: gateway.httpsPort, state: 'factory', ...row });
    return gateway;
  }

  get ports(): ProvisioningPorts {
    return {
      clock: this.clock,
      random: { bytes: (length) => Uint8Array.from({ length }, (_, index) => (index * 37 + 11) & 255) },
      logger: silentLogger,
      enrollments: this.service,
      openGateway: ({ host, port }) => {
        const index = this.inventory.findIndex(({ address }) => address === host);
        const gateway = this.gateways[index];
        if (gateway === undefined) throw new Error(`nothing at ${host}`);
        return gateway.client(port);
      },
      probe: async ({ serial }) => {
        const gateway = this.gateways.find(({ serialNumber }) => serialNumber === serial);
        return this.probe?.(serial) ?? gateway?.discovery ?? false;
      },
      passwords: this.passwords,
    };
  }

  /** Every gateway registers as soon as it is told to. */
  registerWhenEnabled(): void {
    const { service } = this;
    const before = service.beforeCall;
    service.beforeCall = async (name) => {
      await before(name);
      for (const { provisioning } of this.gateways) {
        const { enabled, registrationId } = provisioning;
        if (enabled && registrationId !== undefined && service.stored.has(registrationId)) {
          if (!service.states.has(registrationId)) service.assign(registrationId);
        }
      }
    };
  }

  plan(job: ProvisioningJob = wholeJob): Promise<ProvisioningPlan> {
    const { ports, credentials, inventory } = this;
    return this.#drive(makePlan({ job, inventory, ports, credentials }));
  }

  apply(
    plan: ProvisioningPlan,
    journal: Journal = new MemoryJournal(),
    options: Partial<ApplyPlanOptions> = {},
  ): Promise<ProvisioningReport> {
    const { ports, credentials } = this;
    return this.#drive(applyPlan({ plan, journal, ports, credentials, ...options }));
  }

  /** Moves the clock for as long as something waits for it. */
  async #drive<Value>(work: Promise<Value>): Promise<Value> {
    let isOver = false;
    const over = work.finally(() => {
      isOver = true;
    });
    over.catch(() => undefined);
    while (!isOver) {
      await new Promise((resolve) => setImmediate(resolve));
      const next = this.clock.nextWakeAt;
      // Deadlines of steps are minutes away: nothing but them left means that the work is at it.
      if (!isOver && next !== undefined)
        await this.clock.advance(Math.min(1000, Math.max(0, next - this.clock.now())));
    }
    return over;
  }

  /** Everything that can be written to. */
  get writes(): readonly string[] {
    return [...this.service.writes, ...this.gateways.flatMap(({ writes }) => writes)];
  }

  /** Forgets what was called so far. */
  forgetCalls(): void {
    this.service.calls.length = 0;
    for (const { calls } of this.gateways) calls.length = 0;
  }
}

/** A site whose gateways register as soon as they are told to. */
export async function provisionedSite(count = 1): Promise<MemorySite> {
  const site = new MemorySite(count);
  site.registerWhenEnabled();
  return site;
}
