import type { SecurityClientOptions } from '@endorse/interface';
import { commands, diagnoseEkTemplate, possibleEkTemplates, rh, templates } from '@endorse/tpm2';
import type { EkTemplateDiagnosis, EkTemplateName, PublicArea } from '@endorse/tpm2';
import type { TpmExecutor } from '../executor/executor.ts';
import { startBootstrapProtection } from '../session/protection.ts';
import { createAuthValues } from './auth-value.ts';
import type { AuthValue } from './auth-value.ts';
import { endorsementKeyArea } from './endorsement-key-input.ts';
import type { EndorsementKeyInput } from './endorsement-key-input.ts';
import { describeKey } from './read-key.ts';

/** Options of {@link diagnoseEndorsementKey}. */
export interface DiagnoseEndorsementKeyOptions extends SecurityClientOptions {
  /** Authorization value of the endorsement hierarchy; default empty. */
  readonly endorsementAuth?: AuthValue | undefined;
}

/**
 * Tells which template makes an enrolled endorsement key in this TPM, by making the keys that may be meant.
 *
 * The key may be a public area, TPM2B_PUBLIC, SPKI, a certificate, as bytes, base64 or PEM. Persists nothing; takes as
 * long as one or two key generations. Rejects with `ERR_TPM_MALFORMED` for what is no key, and as the executor does.
 */
export async function diagnoseEndorsementKey(
  executor: TpmExecutor,
  enrolledKey: EndorsementKeyInput,
  { endorsementAuth, signal }: DiagnoseEndorsementKeyOptions = {},
): Promise<EkTemplateDiagnosis> {
  const enrolled = endorsementKeyArea(enrolledKey);
  const withAuthValues = createAuthValues(undefined, endorsementAuth);
  const created: Partial<Record<EkTemplateName, PublicArea>> = {};
  await executor.exclusive(
    (scope) =>
      withAuthValues(async ({ endorsement }) => {
        const mode = endorsement.byteLength === 0 ? 'none' : 'protected';
        const options = { random: executor.random, signal };
        const protection = await startBootstrapProtection(scope, mode, options);
        for (const name of possibleEkTemplates(enrolled)) {
          const {
            objectHandle,
            outPublic,
            name: keyName,
          } = await scope.execute(
            commands.CreatePrimary,
            { primaryHandle: rh.endorsement, inPublic: templates[name].endorsementKey },
            { signal, authorizations: [protection.authorize(endorsement)] },
          );
          created[name] = describeKey(objectHandle, outPublic, keyName).area;
          await scope.flush(objectHandle);
        }
      }),
    { signal },
  );
  return diagnoseEkTemplate({ enrolled, created });
}
