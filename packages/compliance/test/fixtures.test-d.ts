/** Type tests: the fixtures are unions that `kind` takes apart, and an incomplete one does not compile. */
import { expectTypeOf } from 'vitest';
import type {
  DeviceFixture,
  MakeActivationBlob,
  SecurityClientFixture,
  TransportFixture,
} from '@endorse/compliance';
import type {
  AttestationKind,
  SymmetricKeySecurityClient,
  TokenIssuingSecurityClient,
  TpmSecurityClient,
  X509SecurityClient,
} from '@endorse/interface';

expectTypeOf<SecurityClientFixture['kind']>().toEqualTypeOf<AttestationKind | 'token-issuer'>();
expectTypeOf<DeviceFixture['kind']>().toEqualTypeOf<AttestationKind>();
expectTypeOf<TransportFixture>().toExtend<AsyncDisposable>();

type Tpm = Extract<SecurityClientFixture, { kind: 'tpm' }>;
expectTypeOf<Tpm['securityClient']>().toEqualTypeOf<TpmSecurityClient>();
expectTypeOf<Tpm['makeActivationBlob']>().toEqualTypeOf<MakeActivationBlob>();
type Key = Extract<SecurityClientFixture, { kind: 'symmetric-key' }>;
expectTypeOf<Key['securityClient']>().toEqualTypeOf<SymmetricKeySecurityClient>();
expectTypeOf<Key['key']>().toEqualTypeOf<Uint8Array>();
type Issuer = Extract<SecurityClientFixture, { kind: 'token-issuer' }>;
expectTypeOf<Issuer['securityClient']>().toEqualTypeOf<TokenIssuingSecurityClient>();
expectTypeOf<Issuer['registrationId']>().toEqualTypeOf<string>();
type X509 = Extract<DeviceFixture, { kind: 'x509' }>;
expectTypeOf<X509['securityClient']>().toEqualTypeOf<X509SecurityClient>();

declare const securityClient: TpmSecurityClient;
// @ts-expect-error -- a TPM fixture has to bring the service's part
export const incomplete: SecurityClientFixture = {
  kind: 'tpm',
  securityClient,
  [Symbol.asyncDispose]: async () => undefined,
};
// @ts-expect-error -- the client has to be of the kind that the fixture names
export const mismatched: SecurityClientFixture = {
  kind: 'x509',
  securityClient,
  [Symbol.asyncDispose]: async () => undefined,
};
