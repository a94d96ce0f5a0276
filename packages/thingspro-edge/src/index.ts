/**
 * REST client of ThingsPro Edge gateways (AIG-301, AIG-501, AIG-302): sign-in behind a certificate pin, identity,
 * endorsement key, DPS write-back, settings, password and certificate.
 *
 * @example
 * ```js
 * import { createGatewayClient, openPinsFile } from '@endorse/thingspro-edge';
 *
 * export async function readKey(host, serialNumber, password) {
 *   const trust = { mode: 'strict', pins: openPinsFile('pins.txt') };
 *   const client = createGatewayClient({ host, trust, pinName: serialNumber });
 *   const signal = AbortSignal.timeout(60_000);
 *   const session = await client.signIn({ name: 'admin', password }, { signal });
 *   try {
 *     const identity = await session.getIdentity({ signal });
 *     return { identity, endorsementKey: await session.readEndorsementKey({ signal }) };
 *   } finally {
 *     await session.close();
 *   }
 * }
 * ```
 *
 * @packageDocumentation
 */
export type { GatewayCallOptions } from './calls/call.ts';
export type { CredentialCalls, HttpsCertificate, PasswordChange } from './calls/credential-calls.ts';
export type {
  DpsProvisioning,
  EdgeCalls,
  EdgeConfiguration,
  EdgeRuntimeOptions,
  EndorsementKeyOptions,
} from './calls/edge-calls.ts';
export type { GatewayIdentity, GatewayNetworkPort, IdentityCalls } from './calls/identity-calls.ts';
export type { GatewayClient } from './client.ts';
export { createGatewayClient } from './client.ts';
export type { CertificatePinErrorCode, GatewayErrorCode } from './errors.ts';
export { CertificatePinError, GatewayError } from './errors.ts';
export { fingerprintOfPem, parseFingerprint } from './fingerprint.ts';
export type { GatewayClientOptions } from './options.ts';
export type { PinStore } from './pins.ts';
export { createMemoryPins } from './pins.ts';
export { openPinsFile } from './pins-file.ts';
export type { GatewayFamily, GatewayProfile } from './profile.ts';
export { familyOfModel, gatewayProfiles } from './profile.ts';
export type { GatewaySession } from './session.ts';
export type { PlanSettingsOptions } from './settings/plan-settings.ts';
export { planSettings } from './settings/plan-settings.ts';
export type { SettingsCalls } from './settings/settings-calls.ts';
export type {
  DesiredGatewaySettings,
  GatewayService,
  GatewaySettings,
  SettingStep,
  SettingWrite,
} from './settings/settings.ts';
export type { ShownCertificateOptions } from './shown-certificate.ts';
export { readShownFingerprint } from './shown-certificate.ts';
export type { GatewayCredentials, SignedInUser } from './sign-in.ts';
export type { GatewayTrust } from './trust.ts';
