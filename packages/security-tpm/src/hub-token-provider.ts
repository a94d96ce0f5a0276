import { InvalidArgumentError } from '@endorse/interface';
import type {
  Clock,
  HubToken,
  HubTokenProvider,
  SecurityClientOptions,
  TpmSecurityClient,
} from '@endorse/interface';
import { systemClock } from '@endorse/interface/node';
import { createSasToken, hubDeviceResource } from '@endorse/protocol';
import { settleOrAbort } from './async/settle-or-abort.ts';

/** Options of {@link createHubTokenProvider}. */
export interface HubTokenProviderOptions {
  /** Signs the tokens; any client with `signWithIdentity` will do. */
  readonly securityClient: Pick<TpmSecurityClient, 'signWithIdentity'>;
  /** Host name of the assigned hub, with a port when it is not 443. */
  readonly hubHost: string;
  /** Device id at the hub. */
  readonly deviceId: string;
  /** Module id, for a token of one module. */
  readonly moduleId?: string | undefined;
  /** How long a token is valid, in milliseconds; 1000 to 31,536,000,000 (a year), default 3,600,000. */
  readonly lifetimeMs?: number | undefined;
  /** How long before its expiry a token is replaced, in milliseconds; less than `lifetimeMs`, default 15 % of it. */
  readonly renewalMarginMs?: number | undefined;
  /** Default the system's clock. */
  readonly clock?: Clock | undefined;
}

const defaultLifetimeMs = 3_600_000;
const maxLifetimeMs = 365 * 24 * 3_600_000;
const defaultMargin = 0.15;

/**
 * Makes SAS tokens for the assigned hub with the identity key, and renews them before they expire.
 *
 * A token is signed when it is first asked for and kept until the renewal margin begins; concurrent requests share
 * one signature. Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE`; `getToken` rejects as `signWithIdentity` does.
 */
export function createHubTokenProvider(options: HubTokenProviderOptions): HubTokenProvider {
  const { securityClient, clock = systemClock } = options;
  const resource = resourceOf(options);
  const lifetimeMs = checkRange(
    'options.lifetimeMs',
    options.lifetimeMs ?? defaultLifetimeMs,
    1000,
    maxLifetimeMs,
  );
  const renewalMarginMs = checkRange(
    'options.renewalMarginMs',
    options.renewalMarginMs ?? Math.floor(lifetimeMs * defaultMargin),
    0,
    lifetimeMs - 1,
  );
  let current: HubToken | undefined;
  let renewal: Renewal | undefined;

  const renew = async (signal: AbortSignal): Promise<HubToken> => {
    // Whole seconds, as the token says it; rounded down so that it never claims to live longer than asked.
    const expiresAt = Math.floor((clock.now() + lifetimeMs) / 1000) * 1000;
    const sasToken = await createSasToken({
      resource,
      expiresAt,
      sign: (data) => securityClient.signWithIdentity(data, { signal }),
    });
    return Object.freeze({ sasToken, expiresAt });
  };

  const getToken = async ({ signal }: SecurityClientOptions = {}): Promise<HubToken> => {
    signal?.throwIfAborted();
    if (current !== undefined && current.expiresAt - clock.now() > renewalMarginMs) return current;
    const joined = (renewal ??= startRenewal(renew, (token) => {
      current = token ?? current;
      renewal = undefined;
    }));
    joined.waiting += 1;
    try {
      return await settleOrAbort(joined.token, signal);
    } finally {
      joined.waiting -= 1;
      // Nobody wants the signature any more: the TPM need not make it.
      if (joined.waiting === 0) joined.abandon();
    }
  };

  return { getToken };
}

interface Renewal {
  readonly token: Promise<HubToken>;
  waiting: number;
  abandon(): void;
}

function startRenewal(
  renew: (signal: AbortSignal) => Promise<HubToken>,
  onEnd: (token: HubToken | undefined) => void,
): Renewal {
  const controller = new AbortController();
  let ended = false;
  const end = (token?: HubToken): void => {
    if (!ended) onEnd(token);
    ended = true;
  };
  const token = renew(controller.signal);
  token.then(end, () => end());
  return {
    token,
    waiting: 0,
    abandon: () => {
      end();
      controller.abort(new DOMException('every caller has left', 'AbortError'));
    },
  };
}

function resourceOf({ hubHost, deviceId, moduleId }: HubTokenProviderOptions): string {
  const device = hubDeviceResource(hubHost, deviceId);
  if (moduleId === undefined) return device;
  if (!/^[A-Za-z0-9\-.%_*?!(),:=@$'+#]{1,128}$/.test(moduleId)) {
    throw new InvalidArgumentError('options.moduleId', 'must have 1 to 128 of the characters of a device id');
  }
  return `${device}/modules/${moduleId}`;
}

function checkRange(argument: string, value: number, least: number, most: number): number {
  if (Number.isFinite(value) && value >= least && value <= most) return value;
  throw new InvalidArgumentError(argument, `must be from ${least} to ${most}`, 'ERR_OUT_OF_RANGE');
}
