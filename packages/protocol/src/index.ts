/**
 * The wire of the Device Provisioning Service, both directions and pure: what a
 * device and a service say to each other, as functions from values to text or
 * bytes and back.
 *
 * Encoders throw `InvalidArgumentError` or `LocalProtocolError`; decoders return
 * a value or throw `RemoteProtocolError`, whatever arrives. Nothing is sent from
 * here: a transport does that, within its own time limit.
 *
 * @example
 * ```js
 * import { decodeRegistrationReply, encodeRegisterHttpRequest } from '@endorse/protocol';
 *
 * export async function register(host, idScope, registrationId) {
 *   const request = encodeRegisterHttpRequest(idScope, { registrationInfo: { registrationId } });
 *   const answer = await fetch(`https://${host}${request.target}`, {
 *     ...request,
 *     redirect: 'manual',
 *     signal: AbortSignal.timeout(30_000),
 *   });
 *   const response = {
 *     status: answer.status,
 *     headers: Object.fromEntries(answer.headers),
 *     body: new Uint8Array(await answer.arrayBuffer()),
 *   };
 *   return decodeRegistrationReply(response, { attempted: 'register', nowMs: Date.now() });
 * }
 * ```
 *
 * @packageDocumentation
 */
export type { AmqpError, AmqpErrorOptions } from './amqp/amqp-error.ts';
export {
  amqpErrorToServiceError,
  conditionOfStatus,
  saslOutcomeCodes,
  saslOutcomeToServiceError,
} from './amqp/amqp-error.ts';
export type { AmqpFrameLimits } from './amqp/amqp-frame-guard.ts';
export { AmqpFrameGuard, defaultAmqpFrameLimits } from './amqp/amqp-frame-guard.ts';
export type { AmqpDeviceOperation, AmqpMessage } from './amqp/amqp-message.ts';
export {
  decodeDeviceMessage,
  encodeOperationStatusMessage,
  encodeRegisterMessage,
} from './amqp/amqp-message.ts';
export {
  amqpLinkProperties,
  amqpOperations,
  amqpPort,
  amqpProperties,
  amqpRetryAfterNames,
  amqpWebSocketProtocol,
  webSocketPath,
} from './amqp/amqp-names.ts';
export {
  decodeOperationReply,
  encodeOperationReply,
  encodeStateReply,
  readRetryAfter,
  retryAfterProperties,
} from './amqp/amqp-reply.ts';
export type { RegistrationLink } from './amqp/link-address.ts';
export { encodeRegistrationLink, parseRegistrationLink } from './amqp/link-address.ts';
export { checkSaslInitialResponse, checkSaslResponse, maxSaslFrameBytes } from './amqp/sasl-frame.ts';
export type { SaslPlainCredentials } from './amqp/sasl-plain.ts';
export { decodeSaslPlain, encodeSaslPlain, saslPlain } from './amqp/sasl-plain.ts';
export type { SaslTpmClientOptions, SaslTpmClientStep } from './amqp/sasl-tpm-client.ts';
export { SaslTpmClient } from './amqp/sasl-tpm-client.ts';
export type { SaslTpmIdentity, SaslTpmSegment } from './amqp/sasl-tpm-framing.ts';
export {
  decodeSaslTpmIdentity,
  decodeSaslTpmSegment,
  decodeSaslTpmStorageRootKey,
  decodeSaslTpmToken,
  encodeSaslTpmIdentity,
  encodeSaslTpmSegments,
  encodeSaslTpmStorageRootKey,
  encodeSaslTpmToken,
  maxSaslTpmSegmentBytes,
  saslTpm,
} from './amqp/sasl-tpm-framing.ts';
export type { SaslTpmServerStep } from './amqp/sasl-tpm-server.ts';
export { SaslTpmServer } from './amqp/sasl-tpm-server.ts';
export type { ChallengeBody } from './bodies/challenge-body.ts';
export { decodeChallengeBody, encodeChallengeBody, tryDecodeChallengeBody } from './bodies/challenge-body.ts';
export { decodeOperationStatus, encodeOperationStatus } from './bodies/operation-status.ts';
export type { RegisterBody } from './bodies/register-body.ts';
export { decodeRegisterBody, encodeRegisterBody } from './bodies/register-body.ts';
export {
  decodeRegistrationState,
  encodeRegistrationState,
  registrationStatuses,
  registrationStateToJson,
} from './bodies/registration-state.ts';
export type { ServiceErrorBody } from './bodies/service-error-body.ts';
export { decodeServiceErrorBody, encodeServiceErrorBody } from './bodies/service-error-body.ts';
export type { DrsConfirmation } from './drs/drs-confirmation.ts';
export {
  decodeDrsConfirmation,
  decodeDrsProgressUrl,
  encodeDrsConfirmation,
  encodeDrsProgressUrl,
  maxNonceBytes,
} from './drs/drs-confirmation.ts';
export type { DrsRegisterReply } from './drs/drs-http.ts';
export {
  decodeDrsConfirmationReply,
  decodeDrsProgressReply,
  decodeDrsRegisterReply,
  encodeDrsConfirmationHttpRequest,
  encodeDrsProgressHttpRequest,
  encodeDrsRegisterHttpRequest,
} from './drs/drs-http.ts';
export type { DrsProgress } from './drs/drs-progress.ts';
export { decodeDrsProgress, encodeDrsProgress } from './drs/drs-progress.ts';
export type { DrsChallenge, DrsOperation, DrsRegisterBody } from './drs/drs-register.ts';
export {
  decodeDrsOperation,
  decodeDrsRegisterBody,
  encodeDrsChallenge,
  encodeDrsOperation,
  encodeDrsRegisterBody,
  tryDecodeDrsChallenge,
} from './drs/drs-register.ts';
export type { DrsTarget, DrsTargetOptions } from './drs/drs-target.ts';
export {
  defaultDrsApiVersion,
  drsMethods,
  encodeDrsOperationPath,
  encodeDrsOperationTarget,
  encodeDrsRegisterTarget,
  encodeDrsTrustConfirmationTarget,
  parseDrsTarget,
} from './drs/drs-target.ts';
export { resolveDrsProgressTarget } from './drs/progress-url.ts';
export type { CollectionOperation, CollectionTarget } from './http/collection-target.ts';
export { encodeCollectionTarget, parseCollectionTarget } from './http/collection-target.ts';
export type { DeviceRegistrationName, DeviceTarget } from './http/device-target.ts';
export {
  deviceMethods,
  encodeOperationStatusTarget,
  encodeRegisterTarget,
  encodeStatusLookupTarget,
  parseDeviceTarget,
} from './http/device-target.ts';
export { headerNames, isJsonContentType, jsonAccept, jsonContentType } from './http/header-names.ts';
export type { EnrollmentGroupOperation, EnrollmentGroupTarget } from './http/enrollment-group-target.ts';
export {
  encodeEnrollmentGroupTarget,
  enrollmentGroupMethods,
  parseEnrollmentGroupTarget,
} from './http/enrollment-group-target.ts';
export type { HttpRequest, HttpRequestOptions } from './http/http-request.ts';
export {
  encodeChallengeHttpRequest,
  encodeOperationStatusHttpRequest,
  encodeRegisterHttpRequest,
  encodeStatusLookupHttpRequest,
} from './http/http-request.ts';
export type { HttpResponse, HttpResponseOptions } from './http/http-response.ts';
export {
  checkSuccess,
  decodeChallengeReply,
  decodeRegistrationReply,
  decodeStatusLookupReply,
} from './http/http-response.ts';
export type { HubEventTarget } from './http/hub-target.ts';
export { encodeHubEventTarget, parseHubTarget } from './http/hub-target.ts';
export {
  capRetryAfter,
  defaultRetryAfterCapMs,
  formatRetryAfter,
  parseHttpDate,
  parseRetryAfter,
} from './http/retry-after.ts';
export { serviceErrorRemedy, toServiceError } from './http/service-error.ts';
export type { ServiceOperation, ServiceTarget } from './http/service-target.ts';
export { encodeServiceTarget, parseServiceTarget, serviceMethods } from './http/service-target.ts';
export type { ApiVersion } from './identifiers/api-version.ts';
export {
  defaultApiVersion,
  defaultHubApiVersion,
  defaultServiceApiVersion,
  parseApiVersion,
  validateApiVersion,
} from './identifiers/api-version.ts';
export type { HostPort, HostPortOptions } from './identifiers/host-port.ts';
export { formatHostPort, isIpv6Address, parseHostPort } from './identifiers/host-port.ts';
export type { OperationIdParts } from './identifiers/operation-id.ts';
export {
  createGuid,
  createOperationId,
  findOperationIdProblem,
  parseOperationId,
  validateOperationId,
} from './identifiers/operation-id.ts';
export {
  deriveRegistrationId,
  findDeviceIdProblem,
  findIdScopeProblem,
  findRegistrationIdProblem,
  maxDeviceIdLength,
  maxRegistrationIdLength,
  validateDeviceId,
  validateIdScope,
  validateRegistrationId,
} from './identifiers/registration-id.ts';
export { formatTimestamp, parseTimestamp } from './identifiers/timestamp.ts';
export type { JsonDecodeOptions, JsonInput } from './json/json-text.ts';
export {
  maxActivationBlobBytes,
  maxJsonDepth,
  maxOperationIdLength,
  maxPageBytes,
  maxRequestBytes,
  maxResponseBytes,
  maxSasTokenLength,
  maxTargetLength,
  maxTpmPublicBytes,
} from './limits.ts';
export type { DeviceToHubTopic, HubToDeviceTopic } from './mqtt/hub-topic.ts';
export {
  encodeDeviceToHubTopic,
  encodeHubToDeviceTopic,
  hubFilters,
  parseDeviceToHubTopic,
  parseHubToDeviceTopic,
} from './mqtt/hub-topic.ts';
export { decodeMethodPayload, encodeMethodPayload } from './mqtt/method-payload.ts';
export type { PacketGuard } from './mqtt/packet-guard.ts';
export { createPacketGuard } from './mqtt/packet-guard.ts';
export type { MessageProperties } from './mqtt/property-bag.ts';
export type {
  RegistrationResponseMessage,
  RegistrationResponseTopic,
  RegistrationTopic,
} from './mqtt/provisioning-topic.ts';
export {
  decodeRegistrationResponseMessage,
  encodeOperationStatusTopic,
  encodeRegisterTopic,
  encodeRegistrationResponseTopic,
  parseRegistrationResponseTopic,
  parseRegistrationTopic,
  registrationResponseFilter,
} from './mqtt/provisioning-topic.ts';
export type { DeviceTwinBody, TwinProperties } from './mqtt/twin-body.ts';
export {
  decodeDesiredPatch,
  decodeReportedPatch,
  decodeTwinBody,
  encodeDesiredPatch,
  encodeReportedPatch,
  encodeTwinBody,
} from './mqtt/twin-body.ts';
export type { HubUserName, RegistrationUserName } from './mqtt/user-name.ts';
export {
  encodeHubUserName,
  encodeRegistrationUserName,
  parseHubUserName,
  parseRegistrationUserName,
} from './mqtt/user-name.ts';
export { deriveGroupDeviceKey } from './sas/group-key.ts';
export type { SasResourceEncoding } from './sas/sas-resource.ts';
export {
  encodeSasResource,
  hubDeviceResource,
  percentEncode,
  registrationResource,
  sasResourceCovers,
  serviceResource,
} from './sas/sas-resource.ts';
export type { CreateSasTokenOptions, ParsedSasToken, SasTokenFields } from './sas/sas-token.ts';
export {
  createSasToken,
  formatSasToken,
  parseSasToken,
  registrationKeyName,
  sasStringToSign,
  serviceOwnerKeyName,
  verifySasSignature,
} from './sas/sas-token.ts';
export type {
  AttestationMechanism,
  CertificatePair,
  EnrolledCertificate,
} from './service/attestation-mechanism.ts';
export { decodeAttestationMechanism, encodeAttestationMechanism } from './service/attestation-mechanism.ts';
export type {
  BulkError,
  BulkItem,
  BulkKind,
  BulkMode,
  BulkOperation,
  BulkResult,
} from './service/bulk-operation.ts';
export {
  bulkModes,
  decodeBulkResult,
  decodeEnrollmentBulkOperation,
  decodeGroupBulkOperation,
  encodeBulkResult,
  encodeEnrollmentBulkOperation,
  encodeGroupBulkOperation,
  maxBulkItems,
} from './service/bulk-operation.ts';
export type { ServiceConnection } from './service/connection-string.ts';
export { formatServiceConnectionString, parseServiceConnectionString } from './service/connection-string.ts';
export { createEtag, encodeRegistrationEtag, matchesEtag } from './service/etag.ts';
export type { EnrollmentGroup } from './service/enrollment-group.ts';
export {
  decodeEnrollmentGroup,
  encodeEnrollmentGroup,
  enrollmentGroupToJson,
} from './service/enrollment-group.ts';
export type {
  AllocationPolicy,
  EnrollmentSettings,
  ProvisioningStatus,
} from './service/enrollment-settings.ts';
export type { IndividualEnrollment } from './service/individual-enrollment.ts';
export {
  decodeIndividualEnrollment,
  encodeIndividualEnrollment,
  individualEnrollmentToJson,
} from './service/individual-enrollment.ts';
export type { QueryItemType } from './service/query.ts';
export {
  decodeEnrollmentGroupPage,
  decodeEnrollmentPage,
  decodeQuery,
  decodeRegistrationPage,
  decodeRowPage,
  encodePage,
  encodeQuery,
  maxQueryLength,
} from './service/query.ts';
export type { ActivationParts } from './tpm/activation-blob.ts';
export { joinActivationBlob, splitActivationBlob } from './tpm/activation-blob.ts';
export type { NonceParts } from './tpm/nonce-blob.ts';
export { joinCredentialNonceBlob, splitNonceBlob } from './tpm/nonce-blob.ts';
