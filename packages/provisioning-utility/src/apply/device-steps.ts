/** The steps of one device, each bound to what this run knows; what they do is in `steps/`. */
import { createHash } from 'node:crypto';
import { isEndorseError } from '@endorse/interface';
import type { GatewaySession } from '@endorse/thingspro-edge';
import type { Credentials, CredentialPolicy } from '../credentials.ts';
import { credentialsFor } from '../credentials.ts';
import type { EndorsementKey } from '../endorsement-key.ts';
import { openDeviceGateway } from '../gateway-target.ts';
import type { DeviceHistory } from '../journal/device-history.ts';
import type { ProvisioningJob } from '../job/job.ts';
import { desiredEnrollment, desiredSettings, desiredWriteBack } from '../plan/desired.ts';
import type { PlannedDevice, StepName } from '../plan/plan.ts';
import type { ProvisioningPorts } from '../ports.ts';
import { ensureCertificate } from '../steps/certificate.ts';
import { requireSilence } from '../steps/doors.ts';
import { ensureEnrollment } from '../steps/enrollment.ts';
import { ensureOwnPassword } from '../steps/password.ts';
import { readKey } from '../steps/read-key.ts';
import type { SettingPhase } from '../steps/settings.ts';
import { ensureSettings, ensureTime } from '../steps/settings.ts';
import type { SignedIn } from '../steps/sign-in.ts';
import { signIn } from '../steps/sign-in.ts';
import type { StepOptions, StepOutcome, StepResult } from '../steps/step-outcome.ts';
import { verifyAssigned } from '../steps/verify.ts';
import { ensureEnabled, ensureWriteBack, resetRuntime } from '../steps/write-back.ts';

/** What the steps of one device share while it is worked on. */
export class DeviceSteps {
  readonly #device: PlannedDevice;
  readonly #job: ProvisioningJob;
  readonly #ports: ProvisioningPorts;
  readonly #credentials: CredentialPolicy;
  /** Results of this run, earlier attempts included. */
  readonly #results: Map<StepName, StepResult>;
  #session: GatewaySession | undefined;
  #used: Credentials | undefined;
  #key: EndorsementKey | undefined;

  constructor(options: {
    readonly device: PlannedDevice;
    readonly job: ProvisioningJob;
    readonly ports: ProvisioningPorts;
    readonly credentials: CredentialPolicy;
    readonly history: DeviceHistory | undefined;
  }) {
    this.#device = options.device;
    this.#job = options.job;
    this.#ports = options.ports;
    this.#credentials = options.credentials;
    this.#results = new Map(options.history?.results);
  }

  /** Writes down what came of a step, for those that depend on it. */
  remember(step: StepName, result: StepResult): void {
    if (this.#results.get(step) !== 'changed') this.#results.set(step, result);
  }

  /** Signs out; never rejects. */
  async close(): Promise<void> {
    await this.#session?.close();
    this.#session = undefined;
  }

  /** Makes one step. */
  async run(step: StepName, options: StepOptions): Promise<StepOutcome> {
    const { configure, verify } = this.#job;
    switch (step) {
      case 'sign-in':
        return this.#signIn(options);
      case 'read-key':
        return this.#readKey(options);
      case 'set-time':
        if (!configure.time) return skipped('not asked for');
        return ensureTime({ ...options, session: this.#open, now: () => this.#ports.clock.now() });
      case 'enroll':
        return this.#enroll(options);
      case 'write-back':
        return this.#writeBack(options);
      case 'enable':
        if (this.#job.writeBack === undefined) return skipped('the job has no ID scope');
        return ensureEnabled({ ...options, session: this.#open });
      case 'reset':
        return this.#reset(options);
      case 'configure':
      case 'move-port':
        return this.#settings(step, options);
      case 'close-doors':
        return this.#closeDoors(options);
      case 'verify':
        if (this.#job.writeBack === undefined) return skipped('the job has no ID scope');
        if (verify.timeoutMs === 0) return skipped('not asked for');
        return this.#verify(options);
      case 'rotate-password':
        return this.#rotatePassword(options);
      case 'replace-certificate':
        return this.#replaceCertificate(options);
      default:
        return step satisfies never;
    }
  }

  get #open(): GatewaySession {
    if (this.#session === undefined) throw new Error('a step ran before the sign-in');
    return this.#session;
  }

  get #registrationId(): string {
    return this.#device.registrationId ?? '';
  }

  /** True when this run told the gateway something new: then a registration from before says nothing. */
  get #countsAnew(): boolean {
    return this.#results.get('write-back') === 'changed';
  }

  async #signIn(options: StepOptions): Promise<StepOutcome> {
    await this.close();
    const { inventory } = this.#device;
    const credentials = await credentialsFor(inventory, this.#credentials, this.#ports.passwords);
    const attempt = (port: number): Promise<SignedIn> =>
      signIn({
        ...options,
        client: openDeviceGateway(this.#ports.openGateway, inventory, port),
        serial: inventory.serial,
        credentials,
        acceptEula: this.#credentials.acceptEula,
      });
    const { session, used } = await attempt(inventory.port).catch((error: unknown) => {
      // An earlier run may have moved it already.
      const { httpsPort = inventory.port } = this.#job.configure;
      const isAway = isEndorseError(error) && error.code === 'ERR_TRANSPORT_CONNECT';
      if (!isAway || httpsPort === inventory.port) throw error;
      return attempt(httpsPort);
    });
    this.#session = session;
    this.#used = used;
    const { passwordNeverChanged } = session.user;
    return {
      result: 'unchanged',
      detail: passwordNeverChanged ? 'signed in with the password from the works' : 'signed in',
      facts: { fingerprint: session.fingerprint, passwordNeverChanged },
    };
  }

  async #readKey(options: StepOptions): Promise<StepOutcome> {
    const { observed, inventory } = this.#device;
    const known = observed?.endorsementKey ?? inventory.endorsementKey;
    this.#key = await readKey({
      ...options,
      session: this.#open,
      known: known === undefined ? undefined : Uint8Array.from(Buffer.from(known, 'base64')),
      prepare: desiredWriteBack(this.#job, this.#registrationId) ?? true,
    });
    return {
      result: 'unchanged',
      detail: `key ${this.#key.fingerprint}…`,
      facts: { endorsementKeySha256: createHash('sha256').update(this.#key.tpm2bPublic).digest('hex') },
    };
  }

  async #enroll(options: StepOptions): Promise<StepOutcome> {
    if (this.#key === undefined) throw new Error('enroll ran before the key was read');
    return ensureEnrollment({
      ...options,
      port: this.#ports.enrollments,
      desired: desiredEnrollment(
        this.#job,
        this.#device.inventory,
        this.#registrationId,
        this.#key.tpm2bPublic,
      ),
      planned: this.#device.observed?.enrollment,
    });
  }

  async #writeBack(options: StepOptions): Promise<StepOutcome> {
    const desired = desiredWriteBack(this.#job, this.#registrationId);
    if (desired === undefined) return skipped('the job has no ID scope');
    const planned = this.#device.observed?.provisioning;
    return ensureWriteBack({ ...options, session: this.#open, desired, planned });
  }

  async #reset(options: StepOptions): Promise<StepOutcome> {
    const isPlanned = this.#device.steps.some(({ step, action }) => step === 'reset' && action === 'update');
    if (!isPlanned || !this.#countsAnew) return skipped('not needed');
    if (this.#results.get('reset') === 'changed') return { result: 'unchanged', detail: 'was reset' };
    return resetRuntime({ ...options, session: this.#open, timeoutMs: resetTimeoutMs });
  }

  async #settings(phase: SettingPhase, options: StepOptions): Promise<StepOutcome> {
    return ensureSettings({
      ...options,
      phase,
      session: this.#open,
      desired: desiredSettings(this.#job, this.#device.inventory),
      planned: this.#device.observed?.settings,
      allowLockout: this.#job.configure.allowLockout,
    });
  }

  async #closeDoors(options: StepOptions): Promise<StepOutcome> {
    const outcome = await this.#settings('close-doors', options);
    const { probe, clock } = this.#ports;
    const { serial, address } = this.#device.inventory;
    if (this.#job.configure.discovery !== false || probe === undefined) return outcome;
    await requireSilence({ ...options, probe, clock, device: { serial, host: address } });
    return { ...outcome, detail: `${outcome.detail}; silent to probes` };
  }

  /** The service's word counts; what the gateway says of its runtime is told beside it. */
  async #verify(options: StepOptions): Promise<StepOutcome> {
    const outcome = await verifyAssigned({
      ...options,
      ...this.#job.verify,
      port: this.#ports.enrollments,
      clock: this.#ports.clock,
      registrationId: this.#registrationId,
      before: this.#countsAnew ? this.#device.observed?.registration : undefined,
    });
    const { runtime } = await this.#open.getEdgeConfiguration({ signal: options.signal });
    const runtimeStatus = runtime.status ?? 'absent';
    return {
      ...outcome,
      detail: `${outcome.detail}; runtime ${runtimeStatus}`,
      facts: { ...outcome.facts, runtimeStatus },
    };
  }

  async #rotatePassword(options: StepOptions): Promise<StepOutcome> {
    const { passwords, random } = this.#ports;
    if (!this.#job.configure.rotatePassword) return skipped('not asked for');
    if (passwords === undefined || this.#used === undefined) return skipped('there is no passwords file');
    return ensureOwnPassword({
      ...options,
      session: this.#open,
      serial: this.#device.inventory.serial,
      passwords,
      current: this.#used.password,
      random,
    });
  }

  async #replaceCertificate(options: StepOptions): Promise<StepOutcome> {
    const certificate = await this.#ports.findCertificate?.(this.#device.inventory.serial);
    if (certificate === undefined) return skipped('there is none for it');
    return ensureCertificate({ ...options, session: this.#open, certificate });
  }
}

/** A reset of the runtime takes minutes on a real gateway. */
export const resetTimeoutMs = 600_000;

function skipped(detail: string): StepOutcome {
  return { result: 'skipped', detail };
}
