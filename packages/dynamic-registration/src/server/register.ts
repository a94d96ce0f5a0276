/** What a registration comes to, before it is told to anybody: form, token, policy, hook, then the transaction. */
import { matchesIdPattern, TokenRefusedError, verifyToken } from '../tokens/index.ts';
import type { TokenClaims, VerifiedToken } from '../tokens/index.ts';
import type { IssuedCredential, RegistrationOutcome } from '../store/index.ts';
import { callHook } from './hook.ts';
import type { Limits } from './limits.ts';
import { isManufacturerId, normalizeId } from './manufacturer-id.ts';
import type { ResolvedOptions } from './options.ts';
import { applyRecipe } from './recipes.ts';
import type { ProblemCode } from './reply.ts';
import type { DeviceTpm } from './tpm-binding.ts';
import { readDeviceTpm } from './tpm-binding.ts';

/** How a registration ends. */
export type RegistrationResult =
  | {
      readonly kind: 'issued';
      readonly outcome: 'created' | 'reissued';
      readonly credential: IssuedCredential;
      readonly claims: TokenClaims;
      /** The TPM the secret has to be wrapped for. */
      readonly tpm: DeviceTpm | undefined;
    }
  | {
      readonly kind: 'refused';
      readonly code: ProblemCode;
      /** Why, for the operator. */
      readonly reason: string;
      readonly retryAfterSeconds?: number;
    };

/** Where a request came from, and what it said. */
export interface RegistrationInput {
  readonly fields: Readonly<Record<string, unknown>>;
  /** Token of the Authorization header. */
  readonly bearer: string | undefined;
  readonly source: string | undefined;
}

/** Fields of a request. Anything else is a mistake that should be noticed. */
const knownFields = new Set(['token', 'manufacturerId', 'proof', 'tpm']);

/** Registers a device, or says why not. Rejects only when the store does, or with a defect. */
export async function register(
  input: RegistrationInput,
  options: ResolvedOptions,
  limits: Limits,
): Promise<RegistrationResult> {
  const form = readForm(input, options);
  if ('kind' in form) return form;
  const token = await verify(form.token, options);
  if ('kind' in token) {
    limits.noteFailure(input.source ?? '');
    return token;
  }
  logWeaknesses(token, options);
  const result = await registerVerified(form, token, input.source, options, limits);
  if (result.kind === 'refused' && !quietReasons.has(result.reason)) {
    await options.store.audit({
      event: 'registration-refused',
      tokenReference: token.reference,
      manufacturerId: form.manufacturerId,
      source: input.source,
      reason: result.reason,
    });
  }
  return result;
}

/** Refusals that the store writes down itself, or that would let whoever is refused fill the log. */
const quietReasons = new Set(['rate-limited', 'conflict', 'already-active']);

interface Form {
  readonly token: unknown;
  readonly manufacturerId: string;
  readonly proof: Uint8Array | undefined;
  readonly tpm: DeviceTpm | undefined;
}

type Refused = Extract<RegistrationResult, { readonly kind: 'refused' }>;

function readForm(
  { fields, bearer }: RegistrationInput,
  { compatible, random }: ResolvedOptions,
): Form | Refused {
  const bad = (reason: string): Refused => ({ kind: 'refused', code: 'bad-request', reason });
  const { manufacturerId: given, token, proof, tpm } = fields;
  // The seed's template renders numbers as text.
  const manufacturerId = compatible && typeof given === 'number' ? String(given) : given;
  if (!isManufacturerId(manufacturerId)) {
    return bad('manufacturerId has to be text of 1 to 255 characters without control characters');
  }
  const unknown = Object.keys(fields).find((name) => !knownFields.has(name));
  if (unknown !== undefined && !compatible) return bad('there is a field that this registrar does not know');
  if (bearer !== undefined && token !== undefined) return bad('there are two tokens, in header and body');
  const proofBytes = proof === undefined ? undefined : readProof(proof);
  if (proof !== undefined && proofBytes === undefined) return bad('proof has to be base64url of 32 bytes');
  const deviceTpm = tpm === undefined ? undefined : readDeviceTpm(tpm, random);
  if (tpm !== undefined && deviceTpm === undefined) {
    return bad('tpm has to hold endorsementKey and storageRootKey, each base64 of TPM2B_PUBLIC');
  }
  return { token: token ?? bearer, manufacturerId, proof: proofBytes, tpm: deviceTpm };
}

function readProof(proof: unknown): Uint8Array | undefined {
  if (typeof proof !== 'string' || proof.length !== 43) return undefined;
  const bytes = Buffer.from(proof, 'base64url');
  return bytes.byteLength === 32 && bytes.toString('base64url') === proof ? bytes : undefined;
}

async function verify(token: unknown, options: ResolvedOptions): Promise<VerifiedToken | Refused> {
  const { keys, audience, compatible, clock } = options;
  try {
    return await verifyToken(token, { keys: keys(), audience: audience(), compatible, now: clock.now() });
  } catch (error) {
    if (!(error instanceof TokenRefusedError)) throw error;
    return { kind: 'refused', code: 'token-refused', reason: error.reason };
  }
}

function logWeaknesses({ weaknesses, reference, keyId }: VerifiedToken, options: ResolvedOptions): void {
  if (!options.compatible || weaknesses.length === 0) return;
  options.metrics.count('weak_tokens', 'accepted');
  options.logger.log('warn', 'weak-token', { token: reference, keyId, weaknesses });
}

async function registerVerified(
  form: Form,
  token: VerifiedToken,
  source: string | undefined,
  options: ResolvedOptions,
  limits: Limits,
): Promise<RegistrationResult> {
  const refuse = (code: ProblemCode, reason: string): Refused => ({ kind: 'refused', code, reason });
  const { claims, reference, keyId } = token;
  const manufacturerId = normalizeId(form.manufacturerId, options.normalizeId);
  if (manufacturerId === undefined) return refuse('id-not-allowed', 'id-not-normalizable');
  const retryAfterSeconds = limits.register(reference, manufacturerId);
  if (retryAfterSeconds > 0) return { ...refuse('rate-limited', 'rate-limited'), retryAfterSeconds };
  const pattern = claims.idPattern;
  const fits =
    pattern === undefined ||
    [manufacturerId, form.manufacturerId].some((id) => matchesIdPattern(pattern, id));
  if (!fits) return refuse('id-not-allowed', 'id-pattern');
  if (!(await options.isAllowed(manufacturerId))) return refuse('id-not-allowed', 'id-not-listed');
  const tpmProblem = checkTpm(form.tpm, claims, options.requireTpm);
  if (tpmProblem !== undefined) return refuse('tpm-required', tpmProblem);
  if (options.requireProof && form.proof === undefined) return refuse('proof-required', 'proof-required');
  const recipeName = claims.recipe ?? options.defaultRecipe;
  const recipe = Object.hasOwn(options.recipes, recipeName) ? options.recipes[recipeName] : undefined;
  if (recipe === undefined) return refuse('registration-denied', 'recipe-unknown');
  const decision = await callHook(options, {
    manufacturerId,
    claims,
    recipe: recipeName,
    endorsementKeyName: form.tpm?.endorsementKeyName,
    remoteAddress: source,
  });
  if (!decision.allow) return refuse('registration-denied', `hook: ${decision.reason}`);
  const { name, ...definition } = applyRecipe(recipe, form.manufacturerId, {
    name: decision.name,
    tags: { ...claims.tags, ...decision.tags },
  });
  const outcome = await options.store.register({
    token: {
      reference,
      issuer: claims.issuer,
      tokenId: claims.tokenId,
      keyId,
      maxUses: claims.maxUses,
      expiresAt: claims.expiresAt,
    },
    manufacturerId,
    sentId: form.manufacturerId,
    name,
    recipe: recipeName,
    definition: JSON.stringify(definition),
    proof: form.proof,
    endorsementKeyName: form.tpm?.endorsementKeyName,
    source,
  });
  return toResult(outcome, claims, form.tpm);
}

function checkTpm(tpm: DeviceTpm | undefined, claims: TokenClaims, isRequired: boolean): string | undefined {
  const demanded = claims.endorsementKey;
  if (demanded === undefined && !isRequired) return undefined;
  if (tpm === undefined) return 'tpm-missing';
  return Array.isArray(demanded) && !demanded.includes(tpm.endorsementKeyName) ? 'tpm-not-listed' : undefined;
}

function toResult(
  result: RegistrationOutcome,
  claims: TokenClaims,
  tpm: DeviceTpm | undefined,
): RegistrationResult {
  switch (result.outcome) {
    case 'created':
    case 'reissued':
      return { kind: 'issued', outcome: result.outcome, credential: result.credential, claims, tpm };
    case 'conflict':
      return { kind: 'refused', code: 'already-registered', reason: 'conflict' };
    case 'already-active':
      return { kind: 'refused', code: 'already-active', reason: 'already-active' };
    case 'token-revoked':
    case 'token-used-up':
      return { kind: 'refused', code: 'token-refused', reason: result.outcome };
    default:
      return result satisfies never;
  }
}
