import { InvalidArgumentError } from '@endorse/interface';
import type { TpmSnapshot } from '@endorse/tpm-simulator';

/** How an image speaks: swtpm's socket protocol, or that of the Microsoft and IBM reference simulators. */
export type SimulatorProtocol = 'swtpm' | 'mssim';

/** Options of {@link startTpmSimulator}. */
export interface SimulatorOptions {
  /**
   * `process` starts the swtpm of this machine, `container` an image. Default `container` when `image` or the
   * environment variable `ENDORSE_TPM_IMAGE` names one, else `process`.
   */
  readonly runtime?: 'process' | 'container' | undefined;
  /** `container` only: image to start; default `ENDORSE_TPM_IMAGE`, else the one of this package, built on first use. */
  readonly image?: string | undefined;
  /** `container` only: what the image speaks; default `ENDORSE_TPM_PROTOCOL`, else `swtpm`. */
  readonly protocol?: SimulatorProtocol | undefined;
  /** Longest time until the TPM answers, in milliseconds, 1 to 600,000; default 60,000, an image build not counted. */
  readonly timeoutMs?: number | undefined;
  /** Aborts; the promise then rejects with `signal.reason` and nothing is left behind. */
  readonly signal?: AbortSignal | undefined;
}

/** A TPM of one's own for a test; disposing of it stops it. It serves one connection at a time. */
export interface StartedTpmSimulator extends AsyncDisposable {
  readonly runtime: 'process' | 'container';
  /** Where it listens, as `createTpmSecurityClient` and the command line take it; the same for its whole life. */
  readonly address: string;
  /** Power off and on: what is persistent stays, open connections are lost. */
  restart(): Promise<void>;
  /** Another TPM at the same address, fresh from the factory: other seeds, nothing stored. */
  reset(): Promise<void>;
  /** Lists what the TPM holds, to assert that a test left nothing behind. Close every connection first. */
  readSnapshot(): Promise<TpmSnapshot>;
  /** Ends it and removes what it kept; harmless when repeated. */
  stop(): Promise<void>;
}

/** The options once the environment and the defaults are filled in. */
export interface SimulatorPlan {
  readonly runtime: 'process' | 'container';
  /** Undefined for the image of this package. */
  readonly image: string | undefined;
  readonly protocol: SimulatorProtocol;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

const defaultTimeoutMs = 60_000;
const maxTimeoutMs = 600_000;

/** Decides what to start. Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE` for what nobody can follow. */
export function planSimulator(
  options: SimulatorOptions,
  environment: Readonly<Record<string, string | undefined>>,
): SimulatorPlan {
  const image = options.image ?? nonEmpty(environment['ENDORSE_TPM_IMAGE']);
  const protocol = options.protocol ?? nonEmpty(environment['ENDORSE_TPM_PROTOCOL']) ?? 'swtpm';
  const runtime = options.runtime ?? (image === undefined ? 'process' : 'container');
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
  if (protocol !== 'swtpm' && protocol !== 'mssim') {
    const source = options.protocol === undefined ? 'ENDORSE_TPM_PROTOCOL' : 'options.protocol';
    throw new InvalidArgumentError(source, "must be 'swtpm' or 'mssim'");
  }
  if (runtime !== 'process' && runtime !== 'container') {
    throw new InvalidArgumentError('options.runtime', "must be 'process' or 'container'");
  }
  if (runtime === 'process' && (options.image !== undefined || options.protocol !== undefined)) {
    throw new InvalidArgumentError('options.runtime', "is 'process', which takes no image and no protocol");
  }
  if (runtime === 'container' && image === undefined && protocol === 'mssim') {
    throw new InvalidArgumentError(
      'options.image',
      'is missing: the image of this package speaks the protocol of swtpm',
    );
  }
  if (!(Number.isInteger(timeoutMs) && timeoutMs >= 1 && timeoutMs <= maxTimeoutMs)) {
    throw new InvalidArgumentError(
      'options.timeoutMs',
      'must be an integer from 1 to 600,000',
      'ERR_OUT_OF_RANGE',
    );
  }
  return { runtime, image, protocol, timeoutMs, signal: options.signal };
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
