import type { JsonValue, RegistrationResult, SecurityClient, Transport } from '@endorse/interface';
import { InvalidArgumentError, LocalProtocolError } from '@endorse/interface';
import { forwardAbort } from './abort.ts';
import { RegistrationCancelledError } from './errors.ts';
import type { RegistrationOptions, RegistrationParts } from './options.ts';
import { checkParts, checkPayload } from './options.ts';
import { register } from './register.ts';

/** Options that hold for every run of a registration object. */
export type RegistrationDefaults = Omit<RegistrationOptions, 'signal' | 'resume'>;

/** The run in progress. */
interface Run {
  readonly controller: AbortController;
  /** Resolves when the run is over, however it ended. */
  readonly settled: Promise<void>;
}

/**
 * A registration that can be started, cancelled and started again; one run at a
 * time. Base of the classes for each attestation.
 */
export abstract class Registration<Client extends SecurityClient> {
  readonly #parts: RegistrationParts;
  readonly #defaults: RegistrationDefaults;
  #payload: JsonValue | undefined;
  #run: Run | undefined;

  /**
   * Throws `ERR_INVALID_ARGUMENT` for an unusable argument and
   * `ERR_UNSUPPORTED_CAPABILITY` when the transport does not carry the identity's kind.
   */
  protected constructor(
    kind: Client['kind'],
    provisioningHost: string,
    idScope: string,
    transport: Transport,
    securityClient: Client,
    defaults: RegistrationDefaults = {},
  ) {
    const parts = { provisioningHost, idScope, transport, securityClient };
    checkParts(parts);
    if (securityClient.kind !== kind) {
      throw new InvalidArgumentError('securityClient', `must be of kind ${kind}, is ${securityClient.kind}`);
    }
    this.#parts = parts;
    this.#defaults = defaults;
    this.#payload = checkPayload(defaults.payload);
  }

  /** True while a run is in progress. */
  get isRunning(): boolean {
    return this.#run !== undefined;
  }

  /** Sets the payload for the custom allocation function of later runs; undefined for none. Throws `ERR_INVALID_ARGUMENT`. */
  setProvisioningPayload(payload: JsonValue | undefined): void {
    this.#payload = checkPayload(payload);
  }

  /**
   * Runs the registration; see `register()` for how it settles. `options` win
   * over those of the constructor. Rejects with `ERR_LOCAL_STATE` while another
   * run is in progress, and works again after it.
   */
  async register(options: RegistrationOptions = {}): Promise<RegistrationResult> {
    if (this.#run !== undefined) {
      throw new LocalProtocolError(
        'ERR_LOCAL_STATE',
        'a registration is already in progress on this object',
        {
          state: 'running',
        },
      );
    }
    const controller = new AbortController();
    const unlink = forwardAbort(options.signal, controller);
    const result = register({
      ...this.#defaults,
      payload: this.#payload,
      ...withoutUndefined(options),
      ...this.#parts,
      signal: controller.signal,
    }).finally(() => {
      unlink();
      this.#run = undefined;
    });
    this.#run = { controller, settled: result.then(ignore, ignore) };
    return result;
  }

  /**
   * Stops the run in progress: the request in flight is aborted down to its
   * socket, the security client may finish cleaning up (at most 10 s), and
   * `register()` rejects with `RegistrationCancelledError`. Resolves after that;
   * at once when nothing is in progress.
   */
  async cancel(): Promise<void> {
    const run = this.#run;
    if (run === undefined) return;
    run.controller.abort(new RegistrationCancelledError());
    await run.settled;
  }
}

/** An option that is present but undefined means its default, not a reset of the constructor's. */
function withoutUndefined(options: RegistrationOptions): RegistrationOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function ignore(): void {}
