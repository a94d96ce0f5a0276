import { createHmac } from 'node:crypto';
import type {
  RegistrationTarget,
  SymmetricKeySecurityClient,
  TpmSecurityClient,
  X509SecurityClient,
} from '@endorse/interface';
import { Secret } from '@endorse/interface';
import { createTestAuthority } from './certificates.ts';
import { startFragmentingRelay } from './fragmenting-relay.ts';
import type { SessionCall } from './scripted-transport.ts';
import { createSoftwareTpm } from './software-tpm.ts';
import type { SoftwareTpmKeys } from './software-tpm-keys.ts';

/** The emulator, as far as it enrolls devices and drops connections; a whole one would be loaded by every test. */
export interface EnrollingService {
  readonly idScope: string;
  readonly faults: {
    add(rule: {
      readonly operation: string;
      readonly count: number;
      readonly fault: { readonly kind: 'drop'; readonly when: DropMoment };
    }): unknown;
  };
  createTpmEnrollment(enrollment: {
    readonly registrationId: string;
    readonly endorsementKey: Uint8Array;
  }): Promise<void>;
  createSymmetricKeyEnrollment(enrollment: {
    readonly registrationId: string;
  }): Promise<{ readonly primaryKey: Secret }>;
  createX509Enrollment(enrollment: {
    readonly registrationId: string;
    readonly primaryCertificate: string;
  }): Promise<void>;
}

/** When a connection ends: before the request is carried out, or after it was. */
export type DropMoment = 'before-handling' | 'after-handling';

/** How the devices reach their service, and which there are. */
export interface EnrolledDevicesOptions {
  /** The listener, as `host:port`. */
  readonly provisioningHost: string;
  /** Puts a relay in between that hands on at most so many bytes at a time; default none. */
  readonly pieceBytes?: number | undefined;
  /** Keys of the TPM device; without them there is none. */
  readonly tpmKeys?: SoftwareTpmKeys;
}

/** One device for each attestation; disposing of it ends the relay and the TPM. */
export interface EnrolledDevices extends AsyncDisposable {
  readonly devices: {
    readonly 'symmetric-key': EnrolledDevice<'symmetric-key', SymmetricKeySecurityClient>;
    readonly x509: EnrolledDevice<'x509', X509SecurityClient>;
    readonly tpm?: EnrolledDevice<'tpm', TpmSecurityClient>;
  };
  /** Ends the connection of the next such request without an answer. */
  readonly dropNext: (request: SessionCall, when: DropMoment) => void;
}

/** A device with its enrollment's identity. */
export interface EnrolledDevice<Kind, SecurityClient> {
  readonly kind: Kind;
  readonly target: RegistrationTarget;
  readonly securityClient: SecurityClient;
}

/** What the emulator's fault script calls the requests. */
const operations = {
  getAuthenticationChallenge: 'request-challenge',
  register: 'register',
  queryOperationStatus: 'query-operation',
} as const satisfies Record<SessionCall, string>;

/** Enrolls a device for each attestation. */
export async function enrollDevices(
  service: EnrollingService,
  { provisioningHost, pieceBytes, tpmKeys }: EnrolledDevicesOptions,
): Promise<EnrolledDevices> {
  await using stack = new AsyncDisposableStack();
  let host = provisioningHost;
  if (pieceBytes !== undefined) {
    const { port } = new URL(`tcp://${provisioningHost}`);
    host = stack.use(await startFragmentingRelay(Number(port), pieceBytes)).host;
  }
  const target = (registrationId: string): RegistrationTarget => ({
    provisioningHost: host,
    idScope: service.idScope,
    registrationId,
  });
  // A shared key comes first: it stands in where any device will do, and a TPM cannot register unless it was challenged.
  let devices: EnrolledDevices['devices'] = {
    'symmetric-key': {
      kind: 'symmetric-key',
      target: target('key-device'),
      securityClient: await enrollKeyDevice(service, 'key-device'),
    },
    x509: {
      kind: 'x509',
      target: target('x509-device'),
      securityClient: await enrollX509Device(service, 'x509-device'),
    },
  };
  if (tpmKeys !== undefined) {
    const securityClient = stack.use(await createSoftwareTpm({ keys: tpmKeys }));
    const registrationId = await securityClient.getRegistrationId();
    const endorsementKey = await securityClient.getEndorsementKey();
    await service.createTpmEnrollment({ registrationId, endorsementKey });
    devices = { ...devices, tpm: { kind: 'tpm', target: target(registrationId), securityClient } };
  }
  const owned = stack.move();
  return {
    devices,
    dropNext: (request, when) => {
      service.faults.add({ operation: operations[request], count: 1, fault: { kind: 'drop', when } });
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function enrollKeyDevice(
  service: EnrollingService,
  registrationId: string,
): Promise<SymmetricKeySecurityClient> {
  const { primaryKey } = await service.createSymmetricKeyEnrollment({ registrationId });
  return {
    specificationVersion: 'v1',
    kind: 'symmetric-key',
    getRegistrationId: async () => registrationId,
    signWithIdentity: async (data) =>
      Uint8Array.from(createHmac('sha256', primaryKey.reveal()).update(data).digest()),
  };
}

async function enrollX509Device(
  service: EnrollingService,
  registrationId: string,
): Promise<X509SecurityClient> {
  const { certificatePem, privateKeyPem } = createTestAuthority().issue({ commonName: registrationId });
  await service.createX509Enrollment({ registrationId, primaryCertificate: certificatePem });
  return {
    specificationVersion: 'v1',
    kind: 'x509',
    getRegistrationId: async () => registrationId,
    getCertificate: async () => ({ certificatePem, privateKeyPem: Secret.fromText(privateKeyPem) }),
  };
}
