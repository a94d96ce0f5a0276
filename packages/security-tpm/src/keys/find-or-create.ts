/**
 * The endorsement and the storage root key: found at their handles and checked, or created and persisted.
 */
import { commands, decodePublic, nvIndices, rh, templateDeviations } from '@endorse/tpm2';
import type { PublicArea } from '@endorse/tpm2';
import { readNvIndex } from '../certificate/nv.ts';
import { TpmKeyError, formatHandle } from '../errors.ts';
import type { TpmScope } from '../executor/scope.ts';
import { noProtection, startBootstrapProtection, startProtection } from '../session/protection.ts';
import type { Protection, SessionMode } from '../session/protection.ts';
import type { StartSessionOptions } from '../session/start-session.ts';
import type { HierarchyAuthValues, WithAuthValues } from './auth-value.ts';
import type { KeyPlan } from './key-plan.ts';
import { describeKey, isResponse, readKey } from './read-key.ts';
import type { LoadedKey } from './read-key.ts';

/** What finding or creating a key needs. */
export interface FindOrCreateContext extends StartSessionOptions {
  readonly mode: SessionMode;
  /** False: a missing key is `ERR_TPM_KEY_MISSING`. */
  readonly mayCreate: boolean;
  /** Asked only when the key has to be created. */
  readonly withAuthValues: WithAuthValues;
  /** A key that is there already, to salt the session with. */
  readonly saltKey: LoadedKey | undefined;
}

/**
 * Finds the key of a plan, or makes it.
 *
 * Throws `ERR_TPM_KEY_TEMPLATE` when another kind of key is at its handle, `ERR_TPM_KEY_MISSING` when it may not be
 * created, `ERR_TPM_KEY_NOT_CREATABLE` when the TPM will not create it, and a `TpmError` for wrong authorization values.
 */
export async function findOrCreateKey(
  scope: TpmScope,
  plan: KeyPlan,
  context: FindOrCreateContext,
): Promise<LoadedKey> {
  const found = await readKey(scope, plan.handle, context.signal);
  if (found !== undefined) return checkKind(found, plan);
  if (!context.mayCreate) {
    throw new TpmKeyError(
      'ERR_TPM_KEY_MISSING',
      `there is no ${plan.title} at ${formatHandle(plan.handle)}`,
      {
        handle: plan.handle,
        remedy: 'Let it be created, or persist it with the tools of your platform.',
      },
    );
  }
  await context.withAuthValues((authValues) => createAndPersist(scope, plan, authValues, context));
  const persisted = await readKey(scope, plan.handle, context.signal);
  if (persisted === undefined) {
    throw new TpmKeyError('ERR_TPM_KEY_NOT_CREATABLE', `the ${plan.title} vanished after it was persisted`, {
      handle: plan.handle,
    });
  }
  return checkKind(persisted, plan);
}

function checkKind(key: LoadedKey, plan: KeyPlan): LoadedKey {
  const difference = describeDeviation(key.area, plan.template);
  if (difference === undefined) return key;
  throw new TpmKeyError(
    'ERR_TPM_KEY_TEMPLATE',
    `the key at ${formatHandle(key.handle)} is no ${plan.title} of the expected kind: its ${difference}`,
    {
      handle: key.handle,
      remedy: 'Choose another template or handle, or remove the key if nobody needs it.',
    },
  );
}

async function createAndPersist(
  scope: TpmScope,
  plan: KeyPlan,
  authValues: HierarchyAuthValues,
  context: FindOrCreateContext,
): Promise<void> {
  const { signal } = context;
  const hierarchyAuth = plan.hierarchy === rh.endorsement ? authValues.endorsement : authValues.owner;
  const inPublic =
    plan.hierarchy === rh.endorsement ? await refineTemplate(scope, plan.template, signal) : plan.template;
  const protection = await startCreationProtection(scope, authValues, context);
  const created = await createPrimary(scope, plan, protection.authorize(hierarchyAuth), inPublic, signal);
  try {
    await scope.execute(
      commands.EvictControl,
      { auth: rh.owner, objectHandle: created.handle, persistentHandle: plan.handle },
      {
        signal,
        authorizations: [protection.authorize(authValues.owner, { isLastUse: true })],
        names: new Map([[created.handle, created.name]]),
      },
    );
  } catch (error) {
    // Another process was faster; what it persisted is read and checked next.
    if (!isResponse(error, 'NV_DEFINED')) throw error;
  }
  await scope.flush(created.handle);
}

/** Without authorization values nothing secret crosses the bus, and there may be no key to salt a session with yet. */
function startCreationProtection(
  scope: TpmScope,
  { owner, endorsement }: HierarchyAuthValues,
  context: FindOrCreateContext,
): Promise<Protection> {
  const { mode, saltKey } = context;
  if (owner.byteLength + endorsement.byteLength === 0) return Promise.resolve(noProtection);
  return saltKey === undefined
    ? startBootstrapProtection(scope, mode, context)
    : startProtection(scope, mode, saltKey, context);
}

async function createPrimary(
  scope: TpmScope,
  plan: KeyPlan,
  authorization: ReturnType<Protection['authorize']>,
  inPublic: PublicArea,
  signal: AbortSignal | undefined,
): Promise<LoadedKey> {
  try {
    const { objectHandle, outPublic, name } = await scope.execute(
      commands.CreatePrimary,
      { primaryHandle: plan.hierarchy, inPublic },
      { signal, authorizations: [authorization] },
    );
    return describeKey(objectHandle, outPublic, name);
  } catch (error) {
    // HIERARCHY: switched off; the others: an algorithm or attribute this TPM does not have.
    if (
      !isResponse(
        error,
        'HIERARCHY',
        'VALUE',
        'ASYMMETRIC',
        'SYMMETRIC',
        'CURVE',
        'ATTRIBUTES',
        'KEY_SIZE',
        'TYPE',
      )
    ) {
      throw error;
    }
    throw new TpmKeyError('ERR_TPM_KEY_NOT_CREATABLE', `the TPM does not create the ${plan.title}`, {
      cause: error,
      handle: plan.handle,
      remedy: 'Enable the hierarchy in the firmware settings, or choose a template the TPM supports.',
    });
  }
}

/**
 * The maker may have put a template and a nonce into NV memory; the key of the certificate is made with these
 * (TCG EK Credential Profile, 2.2.1.4 and 2.2.1.5). A nonce goes to the beginning of `unique`.
 */
async function refineTemplate(
  scope: TpmScope,
  template: PublicArea,
  signal: AbortSignal | undefined,
): Promise<PublicArea> {
  switch (template.type) {
    case 'rsa': {
      // The legacy template's `unique` is empty on purpose.
      if (template.unique.byteLength === 0) return template;
      const area = await readTemplate(scope, nvIndices.ekTemplateRsa2048, template, signal);
      const nonce = await readNvIndex(scope, nvIndices.ekNonceRsa2048, { signal });
      if (nonce === undefined || area.type !== 'rsa') return area;
      return { ...area, unique: withNonce(nonce, 256) };
    }
    case 'ecc': {
      const area = await readTemplate(scope, nvIndices.ekTemplateEccP256, template, signal);
      const nonce = await readNvIndex(scope, nvIndices.ekNonceEccP256, { signal });
      if (nonce === undefined || area.type !== 'ecc') return area;
      return { ...area, unique: { x: withNonce(nonce, 32), y: new Uint8Array(32) } };
    }
    case 'keyedHash':
    case 'symcipher':
      return template;
    default:
      return unreachable(template);
  }
}

async function readTemplate(
  scope: TpmScope,
  index: number,
  fallback: PublicArea,
  signal: AbortSignal | undefined,
): Promise<PublicArea> {
  const bytes = await readNvIndex(scope, index, { signal });
  if (bytes === undefined) return fallback;
  const area = decodePublic(bytes);
  const difference = describeDeviation(area, fallback);
  if (difference === undefined) return area;
  throw new TpmKeyError(
    'ERR_TPM_KEY_TEMPLATE',
    `the template in ${formatHandle(index)} is another one: its ${difference}`,
    {
      handle: index,
    },
  );
}

/**
 * What is different between a key and its template, for people; undefined when it is of the template's kind. ReadPublic
 * is not authenticated and a handle says nothing: whatever somebody persisted there answers for it.
 */
function describeDeviation(area: PublicArea, template: PublicArea): string | undefined {
  const [deviation] = templateDeviations(area, template);
  return deviation && `${deviation.field} is ${deviation.actual} instead of ${deviation.expected}`;
}

function withNonce(nonce: Uint8Array, size: number): Uint8Array {
  const unique = new Uint8Array(size);
  unique.set(nonce.subarray(0, size));
  return unique;
}

function unreachable(template: never): never {
  throw new TypeError(`unknown template ${JSON.stringify(template)}`);
}
