/**
 * Type tests of the public unions and generics: a member that is added, renamed or lost changes what consumers'
 * `switch` statements have to handle. Compiled only.
 */
import { expectTypeOf } from 'vitest';
import type {
  CapabilityData,
  CapabilityKind,
  Command,
  Commands,
  CreatePrimaryResponse,
  EccScheme,
  EkTemplateDiagnosis,
  EkTemplateName,
  EndorsementKeyBinaryForm,
  EndorsementKeyForm,
  EvictControlRequest,
  HandleKind,
  HashAlgorithm,
  KdfAlgorithm,
  KeyedHashScheme,
  NoFields,
  PublicArea,
  ReadPublicRequest,
  ReadPublicResponse,
  RequestOf,
  ResponseCodeSubject,
  ResponseOf,
  RsaScheme,
  SecretLabel,
  SessionSymmetricDefinition,
  SessionType,
  StartupType,
  TicketKind,
  TimeoutClass,
  TpmError,
  TpmErrorCode,
  TpmRetryAdvice,
} from '../src/index.ts';
import { commandName, commands, encodeCommand, recognizeEndorsementKey } from '../src/index.ts';

expectTypeOf<PublicArea['type']>().toEqualTypeOf<'rsa' | 'ecc' | 'keyedHash' | 'symcipher'>();
expectTypeOf<RsaScheme['scheme']>().toEqualTypeOf<'rsassa' | 'rsapss' | 'oaep' | 'rsaes'>();
expectTypeOf<EccScheme['scheme']>().toEqualTypeOf<
  'ecdsa' | 'sm2' | 'ecschnorr' | 'ecdh' | 'ecmqv' | 'ecdaa'
>();
expectTypeOf<KeyedHashScheme['scheme']>().toEqualTypeOf<'hmac' | 'xor'>();
expectTypeOf<KdfAlgorithm>().toEqualTypeOf<'mgf1' | 'kdf1-sp800-56a' | 'kdf2' | 'kdf1-sp800-108'>();
expectTypeOf<SessionSymmetricDefinition['algorithm']>().toEqualTypeOf<
  'tdes' | 'aes' | 'sm4' | 'camellia' | 'xor'
>();
expectTypeOf<HashAlgorithm>().toEqualTypeOf<
  'sha1' | 'sha256' | 'sha384' | 'sha512' | 'sm3-256' | 'sha3-256' | 'sha3-384' | 'sha3-512'
>();
expectTypeOf<EkTemplateName>().toEqualTypeOf<'tcg' | 'azure-legacy' | 'ecc'>();
expectTypeOf<EkTemplateDiagnosis['verdict']>().toEqualTypeOf<
  'match' | 'untried' | 'other-tpm' | 'other-template'
>();
expectTypeOf<EndorsementKeyForm>().toEqualTypeOf<
  EndorsementKeyBinaryForm | `base64-${EndorsementKeyBinaryForm}` | 'spki-pem' | 'pkcs1-pem' | 'x509-pem'
>();
expectTypeOf(recognizeEndorsementKey).parameter(0).toEqualTypeOf<Uint8Array | string>();
expectTypeOf<SecretLabel>().toEqualTypeOf<'IDENTITY' | 'DUPLICATE' | 'SECRET'>();
expectTypeOf<TicketKind>().toEqualTypeOf<
  'creation' | 'verified' | 'authSecret' | 'authSigned' | 'hashCheck'
>();
expectTypeOf<SessionType>().toEqualTypeOf<'hmac' | 'policy' | 'trial'>();
expectTypeOf<StartupType>().toEqualTypeOf<'clear' | 'state'>();
expectTypeOf<HandleKind>().toEqualTypeOf<
  | 'pcr'
  | 'nv'
  | 'hmacSession'
  | 'policySession'
  | 'permanent'
  | 'transient'
  | 'persistent'
  | 'attached'
  | 'other'
>();
expectTypeOf<CapabilityData['kind']>().toEqualTypeOf<CapabilityKind>();
expectTypeOf<TimeoutClass>().toEqualTypeOf<
  'metadata' | 'session' | 'privateKey' | 'nv' | 'keyGeneration' | 'selfTest'
>();
expectTypeOf<TpmRetryAdvice>().toEqualTypeOf<
  'none' | 'resend' | 'back-off' | 'free-memory' | 'start-up' | 'wait-for-lockout'
>();
expectTypeOf<ResponseCodeSubject['kind']>().toEqualTypeOf<'handle' | 'parameter' | 'session'>();
expectTypeOf<TpmError['code']>().toEqualTypeOf<TpmErrorCode>();
expectTypeOf<'ERR_TPM_INTEGRITY'>().toExtend<TpmErrorCode>();

expectTypeOf(commands.ReadPublic).toEqualTypeOf<Command<ReadPublicRequest, ReadPublicResponse>>();
expectTypeOf<RequestOf<Commands['EvictControl']>>().toEqualTypeOf<EvictControlRequest>();
expectTypeOf<ResponseOf<Commands['CreatePrimary']>>().toEqualTypeOf<CreatePrimaryResponse>();
expectTypeOf<ResponseOf<Commands['FlushContext']>>().toEqualTypeOf<NoFields>();
expectTypeOf(commandName).returns.toEqualTypeOf<keyof Commands | undefined>();
// @ts-expect-error a request of another command
encodeCommand(commands.ReadPublic, { auth: 1 });
