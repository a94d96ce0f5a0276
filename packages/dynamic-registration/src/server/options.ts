import type { Clock, Logger, RandomSource } from '@endorse/interface';
import { InvalidArgumentError, silentLogger } from '@endorse/interface';
import { systemClock, systemRandom } from '@endorse/interface/node';
import type { RegistrationStore } from '../store/index.ts';
import type { TokenClaims, TokenKey } from '../tokens/index.ts';
import { checkKeySet } from '../tokens/index.ts';
import type { IdNormalizer } from './manufacturer-id.ts';
import type { RegistrarMetrics } from './metrics.ts';
import { createMetrics } from './metrics.ts';
import type { RateLimit } from './rate-limiter.ts';
import type { DeviceRecipe } from './recipes.ts';
import { defaultRecipeName, generatorRecipe } from './recipes.ts';

/** A device about to be registered, as the hook sees it. The token is verified, the id is allowed. */
export interface RegistrationAttempt {
  readonly manufacturerId: string;
  readonly claims: TokenClaims;
  readonly recipe: string;
  /** Hex of the Name of its endorsement key, when it has a TPM. */
  readonly endorsementKeyName: string | undefined;
  readonly remoteAddress: string | undefined;
}

/** What the hook decides: whether, and with which name and tags. */
export type RegistrationDecision =
  | { readonly allow: true; readonly name?: string; readonly tags?: Readonly<Record<string, string>> }
  | { readonly allow: false; readonly reason: string };

/** Limits of a registrar, each per process. */
export interface RateLimits {
  /** Of one address; default 60 at once, 60 a minute. */
  readonly perSource?: RateLimit;
  /** Of one token; default 1,000 at once, 6,000 a minute. */
  readonly perToken?: RateLimit;
  /** Of one manufacturer id; default 10 at once, 10 a minute. */
  readonly perId?: RateLimit;
  /** Of everybody; default 2,000 at once, 60,000 a minute. */
  readonly global?: RateLimit;
  /** Bad tokens and credentials of one address; default 20 at once, 10 a minute. */
  readonly failures?: RateLimit;
}

/** Options of {@link createRegistrationHandler}. */
export interface RegistrationHandlerOptions {
  readonly store: RegistrationStore;
  /** Keys tokens are verified with; a function is asked at every request, for keys that rotate. */
  readonly keys: readonly TokenKey[] | (() => readonly TokenKey[]);
  /** What `aud` may name, usually the public URL of the registration. At least one in strict mode. A function is asked at every request. */
  readonly audience: readonly string[] | (() => readonly string[]);
  /** Speaks as the seed does, and takes its tokens: its three refusals, its reply, any secret; what is weak is logged. Default false. */
  readonly compatible?: boolean;
  /** Path of the registration; default `/api/register-device`. */
  readonly registrationPath?: string;
  /** Recipes by name; `tl-generator` is always there. */
  readonly recipes?: Readonly<Record<string, DeviceRecipe>>;
  /** Recipe of tokens that name none; default `tl-generator`. */
  readonly defaultRecipe?: string;
  /** How ids are compared; default `exact`. */
  readonly normalizeId?: IdNormalizer;
  /** The ids that may register, in normal form: a set, or a question; default all. */
  readonly allowedIds?: ReadonlySet<string> | ((manufacturerId: string) => boolean | Promise<boolean>);
  /** Demands a TPM of every device, whatever its token says; default false. */
  readonly requireTpm?: boolean;
  /** Demands a proof of every device, so that none can lose its reply; default false. */
  readonly requireProof?: boolean;
  /** Asked before a registration; a rejection or a late answer denies it. Must be harmless when repeated: a device may come again. */
  readonly beforeRegistration?: (
    attempt: RegistrationAttempt,
    options: { readonly signal: AbortSignal },
  ) => Promise<RegistrationDecision>;
  /** How long the hook may take, in milliseconds, 1 to 60,000; default 5,000. */
  readonly hookTimeoutMs?: number;
  /** Broker that replies name; a token's claim goes first. */
  readonly broker?: string;
  /** Default see {@link RateLimits}; `false` for none, behind something that limits. */
  readonly rateLimits?: RateLimits | false;
  /** Counters; default its own, unseen. */
  readonly metrics?: RegistrarMetrics;
  /** Receives one line a decision, without secrets; default none. */
  readonly logger?: Logger;
  /** Default the system's. */
  readonly clock?: Clock;
  /** Randomness of wrapped secrets; default the system's. */
  readonly random?: RandomSource;
}

/** The options with their defaults. */
export interface ResolvedOptions extends Required<
  Omit<
    RegistrationHandlerOptions,
    'keys' | 'audience' | 'allowedIds' | 'beforeRegistration' | 'broker' | 'rateLimits'
  >
> {
  readonly keys: () => readonly TokenKey[];
  readonly audience: () => readonly string[];
  readonly isAllowed: (manufacturerId: string) => Promise<boolean>;
  readonly beforeRegistration: RegistrationHandlerOptions['beforeRegistration'] | undefined;
  readonly broker: string | undefined;
  readonly rateLimits: Required<RateLimits> | undefined;
}

const defaultRateLimits: Required<RateLimits> = {
  perSource: { burst: 60, perMinute: 60 },
  perToken: { burst: 1_000, perMinute: 6_000 },
  perId: { burst: 10, perMinute: 10 },
  global: { burst: 2_000, perMinute: 60_000 },
  failures: { burst: 20, perMinute: 10 },
};

/** Checks the options and fills in defaults. Throws `ERR_INVALID_ARGUMENT`, `ERR_OUT_OF_RANGE` or `ERR_TOKEN_KEY`. */
export function resolveOptions(options: RegistrationHandlerOptions): ResolvedOptions {
  const { keys, audience, allowedIds, compatible = false, recipes = {}, rateLimits = {} } = options;
  const defaultRecipe = options.defaultRecipe ?? defaultRecipeName;
  const allRecipes = { [defaultRecipeName]: generatorRecipe, ...recipes };
  if (typeof keys !== 'function') {
    if (keys.length === 0) throw new InvalidArgumentError('options.keys', 'must hold at least one key');
    checkKeySet(keys);
    const weak = keys.find(({ isWeak }) => isWeak);
    if (weak !== undefined && !compatible) {
      throw new InvalidArgumentError('options.keys', 'hold a weak secret, which compatibility alone takes');
    }
  }
  if (typeof audience !== 'function' && audience.length === 0 && !compatible) {
    throw new InvalidArgumentError(
      'options.audience',
      'must name this registrar, so that tokens for others are refused',
    );
  }
  if (!Object.hasOwn(allRecipes, defaultRecipe)) {
    throw new InvalidArgumentError('options.defaultRecipe', `is ${defaultRecipe}, which is no recipe`);
  }
  const registrationPath = options.registrationPath ?? '/api/register-device';
  if (!/^\/[\w/.~-]+$/.test(registrationPath)) {
    throw new InvalidArgumentError(
      'options.registrationPath',
      'must be a path, for example /api/register-device',
    );
  }
  const hookTimeoutMs = options.hookTimeoutMs ?? 5_000;
  if (!(hookTimeoutMs >= 1 && hookTimeoutMs <= 60_000)) {
    throw new InvalidArgumentError('options.hookTimeoutMs', 'must be 1 to 60,000', 'ERR_OUT_OF_RANGE');
  }
  return {
    store: options.store,
    keys: typeof keys === 'function' ? keys : () => keys,
    audience: typeof audience === 'function' ? audience : () => audience,
    compatible,
    registrationPath,
    recipes: allRecipes,
    defaultRecipe,
    normalizeId: options.normalizeId ?? 'exact',
    isAllowed: async (id) =>
      allowedIds === undefined || (typeof allowedIds === 'function' ? allowedIds(id) : allowedIds.has(id)),
    requireTpm: options.requireTpm ?? false,
    requireProof: options.requireProof ?? false,
    beforeRegistration: options.beforeRegistration,
    hookTimeoutMs,
    broker: options.broker,
    rateLimits: rateLimits === false ? undefined : { ...defaultRateLimits, ...rateLimits },
    metrics: options.metrics ?? createMetrics(),
    logger: options.logger ?? silentLogger,
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
  };
}
