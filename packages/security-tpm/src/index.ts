/**
 * An identity that lives in a TPM: devices, command executor, protected sessions, the key ceremony of the
 * provisioning service, endorsement certificates and hub SAS tokens.
 *
 * @packageDocumentation
 */
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
export { ActivationBlobError, EndorsementCertificateError, TpmDeviceError, TpmKeyError } from './errors.ts';
