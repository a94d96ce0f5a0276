/**
 * TPM 2.0 as data and maths, without a TPM: strict codecs of the commands and structures that provisioning a
 * device needs, Names, key derivation, MakeCredential and duplication in software, key templates, response codes
 * with their remedy, and the arithmetic of protected sessions. Pure: no IO, no clock, randomness from a port.
 *
 * Decoders return a value or throw `ERR_TPM_MALFORMED`, whatever the bytes. Encoders throw `ERR_INVALID_ARGUMENT` or
 * `ERR_OUT_OF_RANGE` for a value that has no encoding. A TPM's refusal is a {@link TpmError}. Everything is synchronous
 * and bounded by the size of its input, so nothing takes a signal or a timeout.
 *
 * @example
 * ```js
 * import { systemRandom } from '@endorse/interface/node';
 * import { createActivation, decodeTpm2bPublic, recognizeEndorsementKey } from '@endorse/tpm2';
 *
 * // Wraps an HMAC key so that only the TPM with both keys can use it, and nobody can read it.
 * export function wrapKey(endorsementKey, storageRootKey, key) {
 *   return createActivation({
 *     endorsementKey: recognizeEndorsementKey(endorsementKey).area,
 *     storageRootKey: decodeTpm2bPublic(storageRootKey),
 *     key,
 *     random: systemRandom,
 *   });
 * }
 * ```
 *
 * @packageDocumentation
 */
export type { EccCurve, HashAlgorithm } from './algorithms.ts';
export { digestSize } from './algorithms.ts';
export type { ActivationParts, CreateActivationOptions } from './activation.ts';
export { createActivation, decryptActivationData } from './activation.ts';
export type {
  Command,
  CommandInfo,
  NoFields,
  RequestOf,
  ResponseOf,
  TimeoutClass,
} from './commands/command.ts';
export type { CommandFrame, ResponseFrame } from './commands/frame.ts';
export { decodeResponse, encodeCommand, encodeCommandFrame, peekResponseCode } from './commands/frame.ts';
export type { Commands } from './commands/index.ts';
export type {
  ContextLoadRequest,
  ContextLoadResponse,
  ContextSaveRequest,
  ContextSaveResponse,
  SavedContext,
} from './commands/context.ts';
export type {
  CreateParameters,
  CreatePrimaryRequest,
  CreatePrimaryResponse,
  CreateRequest,
  CreateResponse,
  CreateResult,
} from './commands/create.ts';
export type {
  ActivateCredentialRequest,
  ActivateCredentialResponse,
  MakeCredentialRequest,
  MakeCredentialResponse,
} from './commands/credential.ts';
export type {
  DuplicateRequest,
  DuplicateResponse,
  ImportRequest,
  ImportResponse,
} from './commands/duplication.ts';
export type { EvictControlRequest } from './commands/evict-control.ts';
export type { FlushContextRequest } from './commands/flush-context.ts';
export type { GetCapabilityRequest, GetCapabilityResponse } from './commands/get-capability.ts';
export type { GetRandomRequest, GetRandomResponse } from './commands/get-random.ts';
export type {
  ClearRequest,
  DictionaryAttackLockResetRequest,
  HierarchyChangeAuthRequest,
} from './commands/hierarchy.ts';
export type {
  HmacRequest,
  HmacResponse,
  HmacStartRequest,
  HmacStartResponse,
  SequenceCompleteRequest,
  SequenceCompleteResponse,
  SequenceUpdateRequest,
} from './commands/hmac.ts';
export type { LoadRequest, LoadResponse } from './commands/load.ts';
export type {
  NvDefineSpaceRequest,
  NvReadPublicRequest,
  NvReadPublicResponse,
  NvReadRequest,
  NvReadResponse,
  NvUndefineSpaceRequest,
  NvWriteRequest,
} from './commands/nv.ts';
export type {
  PolicyCommandCodeRequest,
  PolicyGetDigestRequest,
  PolicyGetDigestResponse,
  PolicySecretRequest,
  PolicySecretResponse,
} from './commands/policy.ts';
export type { ReadPublicRequest, ReadPublicResponse } from './commands/read-public.ts';
export type { GetTestResultResponse, SelfTestRequest } from './commands/self-test.ts';
export type {
  SessionType,
  StartAuthSessionRequest,
  StartAuthSessionResponse,
} from './commands/start-auth-session.ts';
export type { ShutdownRequest, StartupRequest, StartupType } from './commands/startup.ts';
export { commandName, commands } from './commands/index.ts';
export type { ActivateCredentialSoftwareOptions, Credential, MakeCredentialOptions } from './credential.ts';
export { activateCredentialSoftware, makeCredential } from './credential.ts';
export type {
  Duplicate,
  DuplicateHmacKeyOptions,
  DuplicateOptions,
  DuplicatedHmacKey,
  ImportDuplicateSoftwareOptions,
} from './duplicate.ts';
export {
  duplicateHmacKey,
  duplicateObject,
  hmacKeyAttributes,
  importDuplicateSoftware,
} from './duplicate.ts';
export type {
  EndorsementKeyBinaryForm,
  EndorsementKeyForm,
  RecognizedEndorsementKey,
} from './endorsement-key.ts';
export { publicAreaFromSpki, recognizeEndorsementKey } from './endorsement-key.ts';
export { TpmDecodeError } from './errors.ts';
export type { HandleKind } from './handles.ts';
export { handleKind, handles, nvIndices, rh } from './handles.ts';
export { kdfa, kdfe } from './kdf.ts';
export { computeName, computeNvName, handleName } from './name.ts';
export { publicKeyFromArea } from './public-key.ts';
export type { DecodedResponseCode, ResponseCodeName, ResponseCodeSubject } from './response-codes/decode.ts';
export { decodeResponseCode, formatResponseCode, listResponseCodes } from './response-codes/decode.ts';
export type { TpmRetryAdvice } from './response-codes/entry.ts';
export type { DecapsulateOptions, EncapsulatedSecret, SecretLabel } from './secret-sharing.ts';
export { decapsulateSecret, encapsulateSecret } from './secret-sharing.ts';
export type { ParameterEncryptionOptions } from './sessions/parameter-encryption.ts';
export {
  decryptFirstParameter,
  decryptParameter,
  encryptFirstParameter,
  encryptParameter,
} from './sessions/parameter-encryption.ts';
export { policyCommandCodeDigest, policySecretDigest } from './sessions/policy-digest.ts';
export type {
  CommandHmacOptions,
  CommandParameterHashOptions,
  ResponseHmacOptions,
  ResponseParameterHashOptions,
  SessionKeyOptions,
  SessionKeys,
} from './sessions/session-hmac.ts';
export {
  computeCommandHmac,
  computeResponseHmac,
  cpHash,
  deriveSessionKey,
  rpHash,
  verifyResponseHmac,
} from './sessions/session-hmac.ts';
export type { AuthorizationCommand, AuthorizationResponse } from './structures/authorization.ts';
export { passwordAuthorization, sessionAttributes } from './structures/authorization.ts';
export type {
  AlgorithmProperty,
  CapabilityData,
  CapabilityKind,
  TpmProperty,
} from './structures/capabilities.ts';
export { tpmProperties } from './structures/capabilities.ts';
export type { CreationData } from './structures/creation-data.ts';
export type { NvPublic } from './structures/nv-public.ts';
export { decodeNvPublic, encodeNvPublic, nvAttributes } from './structures/nv-public.ts';
export type { ObjectAttribute } from './structures/object-attributes.ts';
export { describeObjectAttributes, objectAttributes } from './structures/object-attributes.ts';
export type { PcrSelection } from './structures/pcr-selection.ts';
export type {
  EccPoint,
  EccPublic,
  KeyedHashPublic,
  PublicArea,
  PublicAreaBase,
  RsaPublic,
  SymcipherPublic,
} from './structures/public-area.ts';
export {
  decodePublic,
  decodeTpm2bPublic,
  encodePublic,
  encodeTpm2bPublic,
} from './structures/public-area.ts';
export type { EccScheme, KdfAlgorithm, KdfScheme, KeyedHashScheme, RsaScheme } from './structures/schemes.ts';
export type { Sensitive, SensitiveCreate } from './structures/sensitive.ts';
export { decodeSensitive, encodeSensitive } from './structures/sensitive.ts';
export type {
  BlockCipher,
  BlockCipherMode,
  SessionSymmetricDefinition,
  SymmetricDefinition,
  XorDefinition,
} from './structures/symmetric.ts';
export { aes128Cfb } from './structures/symmetric.ts';
export type { Ticket, TicketKind } from './structures/tickets.ts';
export type {
  DiagnoseEkTemplateOptions,
  EkTemplateDiagnosis,
  TemplateDeviation,
} from './template-diagnosis.ts';
export { diagnoseEkTemplate, possibleEkTemplates, templateDeviations } from './template-diagnosis.ts';
export type { EkTemplateName, TemplatePair } from './templates.ts';
export {
  ekAuthPolicySha256,
  ekTemplateEccP256,
  ekTemplateRsa2048,
  ekTemplateRsa2048AzureLegacy,
  srkTemplateEccP256,
  srkTemplateRsa2048,
  srkTemplateRsa2048AzureLegacy,
  templates,
} from './templates.ts';
export type { TpmErrorCode } from './tpm-error.ts';
export { TpmError } from './tpm-error.ts';
