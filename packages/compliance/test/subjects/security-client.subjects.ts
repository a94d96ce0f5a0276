/** The security client suite over toys of each kind, right and wrong. Run by `suites.int.test.ts`, never on its own. */
import { createHmac } from 'node:crypto';
import { runSecurityClientCompliance } from '@endorse/compliance/security-client';
import type {
  IssuedSasToken,
  SymmetricKeySecurityClient,
  TokenIssuingSecurityClient,
  TpmSecurityClient,
} from '@endorse/interface';
import { Secret } from '@endorse/interface';
import {
  createSasToken,
  registrationKeyName,
  registrationResource,
  splitActivationBlob,
} from '@endorse/protocol';
import { certificatePem, privateKeyPem } from '../support/device-certificate.ts';
import type { ToyTpmSteps } from '../support/toy-tpm.ts';
import { createToyTpm, openToyBlob, wrapForToyTpm } from '../support/toy-tpm.ts';

type Toy = ReturnType<typeof createToyTpm>;

function runTpm(
  name: string,
  steps: ToyTpmSteps = {},
  change: (toy: Toy) => Partial<Toy> = () => ({}),
): void {
  runSecurityClientCompliance(name, async () => {
    const toy = createToyTpm(steps);
    const securityClient: Toy = { ...toy, ...change(toy) };
    return {
      kind: 'tpm',
      securityClient,
      makeActivationBlob: wrapForToyTpm,
      [Symbol.asyncDispose]: () => toy[Symbol.asyncDispose](),
    };
  });
}

function runKey(
  name: string,
  change: Partial<SymmetricKeySecurityClient> & Record<string, unknown> = {},
): void {
  const key = new Uint8Array(32).fill(3);
  runSecurityClientCompliance(name, async () => ({
    kind: 'symmetric-key',
    registrationId: 'key-device',
    key,
    securityClient: {
      specificationVersion: 'v1',
      kind: 'symmetric-key',
      getRegistrationId: async ({ signal } = {}) => {
        signal?.throwIfAborted();
        return 'key-device';
      },
      signWithIdentity: async (data, { signal } = {}) => {
        signal?.throwIfAborted();
        return sign(key, data);
      },
      ...change,
    },
    [Symbol.asyncDispose]: async () => undefined,
  }));
}

function runIssuer(name: string, change: Partial<TokenIssuingSecurityClient> = {}): void {
  runSecurityClientCompliance(name, async () => ({
    kind: 'token-issuer',
    registrationId: 'issued-device',
    key: issuerKey,
    securityClient: {
      specificationVersion: 'v1',
      kind: 'symmetric-key',
      getRegistrationId: async ({ signal } = {}) => {
        signal?.throwIfAborted();
        return 'issued-device';
      },
      issueSasToken: async (idScope, { signal } = {}) => {
        signal?.throwIfAborted();
        return issueToken(idScope);
      },
      ...change,
    },
    [Symbol.asyncDispose]: async () => undefined,
  }));
}

const issuerKey = new Uint8Array(32).fill(5);

async function issueToken(idScope: string): Promise<IssuedSasToken> {
  const resource = registrationResource(idScope, 'issued-device');
  const expiresAt = (Math.ceil(Date.now() / 1000) + 3600) * 1000;
  const keyName = registrationKeyName;
  const signWithKey = async (data: Uint8Array): Promise<Uint8Array> => sign(issuerKey, data);
  return { sasToken: await createSasToken({ resource, expiresAt, keyName, sign: signWithKey }), expiresAt };
}

function sign(key: Uint8Array, data: Uint8Array): Uint8Array {
  if (!(data instanceof Uint8Array)) {
    throw Object.assign(new TypeError('bytes'), {
      code: 'ERR_INVALID_ARGUMENT',
      fault: 'caller',
      retryable: false,
    });
  }
  return Uint8Array.from(createHmac('sha256', key).update(data).digest());
}

runTpm('right TPM');
runKey('right key');
runIssuer('right token issuer');
runSecurityClientCompliance('right X.509', async () => ({
  kind: 'x509',
  securityClient: {
    specificationVersion: 'v1',
    kind: 'x509',
    getRegistrationId: async ({ signal } = {}) => {
      signal?.throwIfAborted();
      return 'x509-device';
    },
    getCertificate: async ({ signal } = {}) => {
      signal?.throwIfAborted();
      return { certificatePem, privateKeyPem: Secret.fromText(privateKeyPem) };
    },
  },
  [Symbol.asyncDispose]: async () => undefined,
}));

runTpm('forgets its key when an activation fails', { onFailure: (forget) => forget() });
runTpm('signs what fits into a buffer', {
  sign: (key, data) => Uint8Array.from(createHmac('sha256', key).update(data.subarray(0, 1024)).digest()),
});
runTpm('wraps the reason of an abort', { abortError: (reason) => new Error('aborted', { cause: reason }) });
runTpm('hands out its own bytes', { handOut: (key) => key });
runTpm('does not look at the blob', {
  open: (keys, blob) => {
    try {
      return openToyBlob(keys, blob);
    } catch {
      return splitActivationBlob(blob).duplicate;
    }
  },
});
runTpm('throws what it comes across', {
  open: (keys, blob) => {
    splitActivationBlob(blob);
    return openToyBlob(keys, blob);
  },
});
runTpm('leaves a listener', {}, (toy) => ({
  getEndorsementKey: (options = {}) => {
    options.signal?.addEventListener('abort', () => undefined);
    return toy.getEndorsementKey(options);
  },
}));
runTpm('leaves a timer', {}, (toy) => ({
  getStorageRootKey: (options) => {
    setTimeout(() => undefined, 60_000);
    return toy.getStorageRootKey(options);
  },
}));
runTpm('cannot be disposed of', {}, () => ({ [Symbol.asyncDispose]: async () => undefined }));
runTpm('makes up its registration id', {}, () => ({ getRegistrationId: async () => 'my-device' }));
runTpm(
  'commits what it says it aborted',
  {},
  (toy) =>
    ({
      activateIdentityKey: async (blob, { signal } = {}) => {
        signal?.throwIfAborted();
        await toy.activateIdentityKey(blob);
        await new Promise((resolve) => setTimeout(resolve, 60));
        signal?.throwIfAborted();
      },
    }) satisfies Partial<TpmSecurityClient>,
);
runKey('pretends to be more', { getEndorsementKey: async () => new Uint8Array() });
runKey('shows its key', { key: Buffer.alloc(32, 3).toString('base64') });
runIssuer('issues for one scope', { issueSasToken: async () => issueToken('0ne00000001') });
runIssuer('tells another life', {
  issueSasToken: async (idScope) => ({ ...(await issueToken(idScope)), expiresAt: Date.now() + 1000 }),
});
const onlyToken = issueToken('0ne00000001');
runIssuer('hands out its own token', { issueSasToken: () => onlyToken });
