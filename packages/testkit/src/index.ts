/**
 * Private test support: transports that follow a script or stand on an emulator in memory, a decorator that makes any
 * transport fail as planned, a relay that cuts bytes into pieces, a hand-made TLS server and CONNECT proxy, a device for
 * each attestation, what a module loads, a TPM double that decrypts real activation blobs with OpenSSL keys, and certificates.
 *
 * @example
 * ```js
 * import { createScriptedTransport, createSoftwareTpm } from '@endorse/testkit';
 *
 * const tpm = await createSoftwareTpm();
 * const transport = createScriptedTransport([{ call: 'getAuthenticationChallenge', answer: { hang: true } }]);
 * const target = { provisioningHost: 'dps.example.test', idScope: '0ne00000001', registrationId: 'device-1' };
 * const session = transport.openSession(target, { kind: 'tpm' });
 * const endorsementKey = await tpm.getEndorsementKey();
 * const storageRootKey = await tpm.getStorageRootKey();
 * const signal = AbortSignal.timeout(10);
 * await session
 *   .getAuthenticationChallenge({ ...target, endorsementKey, storageRootKey }, { signal })
 *   .catch((error) => console.log(error.name)); // TimeoutError
 * await session.close();
 * ```
 *
 * @packageDocumentation
 */
export type { TestAuthority, TestCertificate, TestCertificateOptions } from './certificates.ts';
export { createTestAuthority } from './certificates.ts';
export type { ConnectProxy, ConnectProxyOptions } from './connect-proxy.ts';
export { startConnectProxy } from './connect-proxy.ts';
export type {
  DropMoment,
  EnrolledDevice,
  EnrolledDevices,
  EnrolledDevicesOptions,
  EnrollingService,
} from './enrolled-devices.ts';
export { enrollDevices } from './enrolled-devices.ts';
export type { FragmentingRelay } from './fragmenting-relay.ts';
export { startFragmentingRelay } from './fragmenting-relay.ts';
export type { LoadedModules } from './loaded-modules.ts';
export { findLoadedModules } from './loaded-modules.ts';
export type { DeviceRequestHandler } from './memory-transport.ts';
export { createMemoryTransport } from './memory-transport.ts';
export { assignedReply, assigningReply, disabledReply, failedReply } from './replies.ts';
export type {
  ScriptStep,
  ScriptedAnswer,
  ScriptedCall,
  ScriptedTransport,
  ScriptedTransportOptions,
  SessionCall,
} from './scripted-transport.ts';
export { ScriptError, createScriptedTransport } from './scripted-transport.ts';
export type { SoftwareTpm, SoftwareTpmCall, SoftwareTpmOptions } from './software-tpm.ts';
export { createSoftwareTpm } from './software-tpm.ts';
export type { SoftwareTpmAlgorithm, SoftwareTpmKeys } from './software-tpm-keys.ts';
export { generateSoftwareTpmKeys } from './software-tpm-keys.ts';
export type { TlsPeer } from './tls-peer.ts';
export { closedPort, startTlsPeer } from './tls-peer.ts';
export type { Fault, FaultyTransport, PlannedFault } from './with-faults.ts';
export { withFaults } from './with-faults.ts';
