/**
 * An identity that lives in a TPM: devices, a command executor, protected sessions, the key ceremony of the
 * provisioning service, endorsement certificates and hub SAS tokens.
 *
 * @example
 * ```js
 * import { createTpmSecurityClient } from '@endorse/security-tpm';
 *
 * export async function describeDevice(address) {
 *   const signal = AbortSignal.timeout(30_000);
 *   const client = await createTpmSecurityClient({ tpm: address, signal });
 *   try {
 *     return {
 *       registrationId: await client.getRegistrationId({ signal }),
 *       endorsementKey: Buffer.from(await client.getEndorsementKey({ signal })).toString('base64'),
 *     };
 *   } finally {
 *     await client.close();
 *   }
 * }
 * ```
 *
 * @packageDocumentation
 */
export type { EndorsementCertificate } from './certificate/read-certificate.ts';
export {
  endorsementCertificateIndices,
  matchesEndorsementKey,
  readEndorsementCertificate,
  readEndorsementCertificates,
} from './certificate/read-certificate.ts';
export type { CertificateInput, VerifyChainOptions } from './certificate/verify-chain.ts';
export { endorsementKeyUsage, verifyEndorsementCertificateChain } from './certificate/verify-chain.ts';
export type { TpmSecurityClientOptions } from './client-options.ts';
export type { TpmSecurityClientHandle } from './client.ts';
export { createTpmSecurityClient } from './client.ts';
export type { TpmAddress } from './device/address.ts';
export { defaultSimulatorPort, formatTpmAddress, parseTpmAddress } from './device/address.ts';
export type { LinuxFile, LinuxFileSystem } from './device/linux-device.ts';
export { openTpmDevice } from './device/open-device.ts';
export type { OpenTpmDeviceOptions } from './device/open-options.ts';
export type { TbsLoadOptions } from './device/tbs-messages.ts';
export type { TpmDevice, TpmDeviceInfo, TpmDeviceKind, TransmitOptions } from './device/tpm-device.ts';
export type {
  EndorsementCertificateErrorCode,
  TpmDeviceErrorCode,
  TpmDeviceErrorOptions,
  TpmKeyErrorCode,
} from './errors.ts';
export {
  ActivationBlobError,
  EndorsementCertificateError,
  TpmDeviceError,
  TpmKeyError,
  TpmResponseForgedError,
} from './errors.ts';
export type { ConnectTpmDevice } from './executor/connection.ts';
export type { ExclusiveOptions, TpmExecutor, TpmExecutorOptions } from './executor/executor.ts';
export { createTpmExecutor } from './executor/executor.ts';
export type { TpmRetryPolicy } from './executor/retry-policy.ts';
export type { ExecuteOptions, TpmScope } from './executor/scope.ts';
export { commandTimeoutsMs } from './executor/timeouts.ts';
export type { TpmTrace, TpmTraceListener } from './executor/trace.ts';
export type { HubTokenProviderOptions } from './hub-token-provider.ts';
export { createHubTokenProvider } from './hub-token-provider.ts';
export type { TpmInfo, TpmInfoOptions } from './info.ts';
export { tpmInfo } from './info.ts';
export type { AuthValue, AuthValueResult } from './keys/auth-value.ts';
export type { DiagnoseEndorsementKeyOptions } from './keys/diagnose-endorsement-key.ts';
export { diagnoseEndorsementKey } from './keys/diagnose-endorsement-key.ts';
export type { EndorsementKeyInput } from './keys/endorsement-key-input.ts';
export type { IdentityKeyHandles } from './keys/identity-slots.ts';
export { identityKeyHandles } from './keys/identity-slots.ts';
export type { KeyOptions } from './keys/key-plan.ts';
export type { AuthSession, Authorization } from './session/auth-session.ts';
export type { ObjectNames } from './session/authorize.ts';
export type { SessionMode } from './session/protection.ts';
export type { SaltKey, StartSessionOptions } from './session/start-session.ts';
export { startPolicySession, startSaltedSession } from './session/start-session.ts';
