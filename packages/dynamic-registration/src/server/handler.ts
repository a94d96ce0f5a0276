import { isEndorseError } from '@endorse/interface';
import { devicePaths, serveDevice } from './device-endpoints.ts';
import { createLimits } from './limits.ts';
import type { Limits } from './limits.ts';
import type { RegistrationHandlerOptions, ResolvedOptions } from './options.ts';
import { resolveOptions } from './options.ts';
import { registrationReply } from './register-reply.ts';
import { register } from './register.ts';
import { problemReply } from './reply.ts';
import { readBody } from './request-body.ts';

/** What a web request cannot say of itself. */
export interface RequestContext {
  /** Address the request came from, for rate limits and the audit log; without it all share one limit. */
  readonly remoteAddress?: string | undefined;
}

/** Answers a web request; never rejects. Fits whatever takes `(Request) => Promise<Response>`. */
export type RegistrationHandler = (request: Request, context?: RequestContext) => Promise<Response>;

/**
 * Makes the registrar's one handler: `POST /api/register-device`, and for registered devices `GET /api/device`,
 * `POST /api/device/acknowledgement` and `POST /api/device/credentials`. Anything else is a 404.
 * Throws `ERR_INVALID_ARGUMENT`, `ERR_OUT_OF_RANGE` or `ERR_TOKEN_KEY` for unusable options.
 */
export function createRegistrationHandler(options: RegistrationHandlerOptions): RegistrationHandler {
  const resolved = resolveOptions(options);
  const limits = createLimits(resolved.rateLimits, resolved.clock);
  return async (request, { remoteAddress } = {}) => {
    try {
      const response = await answer(request, remoteAddress, resolved, limits);
      resolved.metrics.count('requests', String(response.status));
      return response;
    } catch (error) {
      return failure(error, resolved);
    }
  };
}

async function answer(
  request: Request,
  source: string | undefined,
  options: ResolvedOptions,
  limits: Limits,
): Promise<Response> {
  const { pathname } = new URL(request.url);
  const isRegistration = pathname === options.registrationPath;
  const isDevice = (Object.values(devicePaths) as string[]).includes(pathname);
  if (!isRegistration && !isDevice) return problemReply('not-found');
  const wait = limits.enter(source ?? '');
  if (wait > 0) return problemReply('rate-limited', { headers: { 'retry-after': String(wait) } });
  if (isDevice) return serveDevice(request, pathname, source ?? '', options, limits);
  if (request.method !== 'POST') return problemReply('method-not-allowed', { headers: { allow: 'POST' } });
  return serveRegistration(request, source, options, limits);
}

async function serveRegistration(
  request: Request,
  source: string | undefined,
  options: ResolvedOptions,
  limits: Limits,
): Promise<Response> {
  const { compatible, clock, metrics, logger } = options;
  const body = await readBody(request, { clock, forms: compatible });
  if (!body.ok) {
    metrics.count('registrations', body.problem);
    const refusal = {
      kind: 'refused',
      code: body.problem,
      reason: 'the body is no usable JSON object',
    } as const;
    return registrationReply(refusal, options);
  }
  const bearer = /^Bearer +(\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
  const result = await register({ fields: body.fields, bearer, source }, options, limits);
  if (result.kind === 'issued') {
    const { outcome, credential, claims } = result;
    metrics.count('registrations', outcome);
    logger.log('info', `device-${outcome}`, {
      deviceId: credential.deviceId,
      accessKey: credential.accessKey,
      issuer: claims.issuer,
      source,
    });
  } else {
    metrics.count('registrations', result.code);
    logger.log('warn', 'registration-refused', { code: result.code, reason: result.reason, source });
  }
  return registrationReply(result, options);
}

/** How long a device waits before it tries an overloaded registrar again, in seconds. */
const unavailableRetrySeconds = '2';

function failure(error: unknown, { logger, metrics }: ResolvedOptions): Response {
  const passes = isEndorseError(error) && error.retryable;
  const code = passes ? 'unavailable' : 'internal-error';
  metrics.count('requests', passes ? '503' : '500');
  logger.log('error', 'request-failed', {
    code: isEndorseError(error) ? error.code : 'ERR_UNEXPECTED',
    problem: error instanceof Error ? error.message : String(error),
  });
  return problemReply(code, passes ? { headers: { 'retry-after': unavailableRetrySeconds } } : {});
}
