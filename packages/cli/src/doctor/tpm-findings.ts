import type { TpmInfo, TpmSecurityClientHandle } from '@endorse/security-tpm';
import { certificateFindings } from './certificate-findings.ts';
import { errorFinding } from './error-finding.ts';
import type { Finding } from './finding.ts';

/** How a TPM is looked at. */
export interface TpmExamination {
  /** Address of the TPM. */
  readonly address: string;
  /** False for the usual TPM of the platform, whose absence is worth a warning only. */
  readonly isWanted: boolean;
  /** Aborts the examination. */
  readonly signal: AbortSignal;
}

/**
 * Looks at a TPM without changing it: no key is created to stay, and nothing stays loaded.
 * Rejects only with the signal's reason; every other failure is a finding.
 */
export async function tpmFindings({
  address,
  isWanted,
  signal,
}: TpmExamination): Promise<readonly Finding[]> {
  const { createTpmSecurityClient, tpmInfo } = await import('@endorse/security-tpm');
  let client: TpmSecurityClientHandle;
  try {
    client = await createTpmSecurityClient({ tpm: address, createKeys: false, sessions: 'none', signal });
  } catch (error) {
    signal.throwIfAborted();
    const finding = errorFinding('tpm-device', error);
    return [finding.code === 'ERR_TPM_UNREACHABLE' && !isWanted ? { ...finding, level: 'warning' } : finding];
  }
  const attempt = async (
    check: string,
    look: () => Promise<readonly Finding[]>,
  ): Promise<readonly Finding[]> => {
    try {
      return await look();
    } catch (error) {
      signal.throwIfAborted();
      return [errorFinding(check, error)];
    }
  };
  try {
    const device: Finding = { check: 'tpm-device', level: 'ok', message: `${address} can be opened` };
    const aboutTpm = await attempt('tpm', async () => {
      const info = await tpmInfo(client.executor, { signal });
      return [
        identityFinding(info),
        lockoutFinding(info),
        passwordFinding(info),
        ...(await attempt('endorsement-key', () => endorsementKeyFindings(client, signal))),
        ...(await attempt('storage-root-key', () => storageRootKeyFindings(client, signal))),
        ...(await attempt('endorsement-certificate', () =>
          certificateFindings(client.executor, info, signal),
        )),
      ];
    });
    return [device, managerFinding(address, client), ...aboutTpm];
  } finally {
    await client.close();
  }
}

function managerFinding(address: string, { executor }: TpmSecurityClientHandle): Finding {
  const check = 'resource-manager';
  const { kind, resourceManaged } = executor.info;
  if (resourceManaged)
    return { check, level: 'ok', message: 'a resource manager shares the TPM between programs' };
  if (kind === 'linux') {
    return {
      check,
      level: 'warning',
      message: `${address} has no resource manager: one program at a time, and a crash leaves keys loaded`,
      remedy: 'Use device:///dev/tpmrm0.',
    };
  }
  return { check, level: 'ok', message: 'a simulator has no resource manager: one program at a time' };
}

function identityFinding({
  manufacturer,
  vendor,
  firmwareVersionText,
  specificationRevision,
}: TpmInfo): Finding {
  const name = [manufacturer, vendor].filter((text) => text !== '').join(' ');
  const message = `TPM 2.0 of ${name}, firmware ${firmwareVersionText}, specification ${specificationRevision}`;
  return { check: 'tpm', level: 'ok', message };
}

function lockoutFinding({ inLockout }: TpmInfo): Finding {
  if (!inLockout) return { check: 'lockout', level: 'ok', message: 'the TPM is not locked out' };
  return {
    check: 'lockout',
    level: 'error',
    message: 'the TPM is locked out after too many wrong passwords',
    remedy: 'Wait for the recovery time, or clear it with: tpm2_dictionarylockout --clear-lockout.',
  };
}

/** TPM_PT_PERMANENT and its bits ownerAuthSet and endorsementAuthSet (Part 2, 6.13 and 8.6). */
const permanentProperty = 0x200;
const hierarchyBits: readonly (readonly [string, number])[] = [
  ['owner', 1],
  ['endorsement', 2],
];

function passwordFinding({ properties }: TpmInfo): Finding {
  const permanent = properties.get(permanentProperty) ?? 0;
  const names = hierarchyBits.filter(([, bit]) => (permanent & bit) !== 0).map(([name]) => name);
  const check = 'hierarchy-passwords';
  if (names.length === 0) return { check, level: 'ok', message: 'no password protects the hierarchies' };
  const flags = names.map((name) => `--${name}-auth-env`).join(' and ');
  return {
    check,
    level: 'ok',
    message: `the ${names.join(' and ')} hierarchy needs a password: pass ${flags}`,
  };
}

async function endorsementKeyFindings(
  client: TpmSecurityClientHandle,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const check = 'endorsement-key';
  const missing = 'no endorsement key is kept at 0x81010001; the first registration creates one';
  return orMissing(check, missing, async () => {
    const bytes = await client.getEndorsementKey({ signal });
    const { decodeTpm2bPublic, possibleEkTemplates } = await import('@endorse/tpm2');
    const names = possibleEkTemplates(decodeTpm2bPublic(bytes));
    const template = names.length === 0 ? 'no known template' : `template ${names.join(' or ')}`;
    const registrationId = await client.getRegistrationId({ signal });
    return `the endorsement key has ${template}, registration id ${registrationId}`;
  });
}

async function storageRootKeyFindings(
  client: TpmSecurityClientHandle,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const missing = 'no storage root key is kept at 0x81000001; the first registration creates one';
  return orMissing('storage-root-key', missing, async () => {
    await client.getStorageRootKey({ signal });
    return 'the storage root key can be used';
  });
}

/** A key that is not there yet is a warning: the first registration needs longer, and the passwords. */
async function orMissing(
  check: string,
  missing: string,
  look: () => Promise<string>,
): Promise<readonly Finding[]> {
  try {
    return [{ check, level: 'ok', message: await look() }];
  } catch (error) {
    const finding = errorFinding(check, error);
    if (finding.code !== 'ERR_TPM_KEY_MISSING') throw error;
    const remedy = 'Create it now, to know the registration id: endorse tpm info.';
    return [{ ...finding, level: 'warning', message: missing, remedy }];
  }
}
