/**
 * Finds devices on a local network by UDP, and answers as one. What carries the messages is a codec;
 * the open JSON format of this project is the default.
 *
 * @example
 * ```js
 * import { collectDevices } from '@endorse/discovery';
 *
 * export async function listGateways() {
 *   const signal = AbortSignal.timeout(10_000);
 *   const { devices, conflicts } = await collectDevices({ windowMs: 5000, signal });
 *   for (const { serial } of conflicts) console.error(`several devices say they are ${serial}`);
 *   return devices.filter((device) => device.ineligibleFor.length === 0);
 * }
 * ```
 *
 * @packageDocumentation
 */
export type { DiscoveryCodec } from './codec.ts';
export { maxDevices, maxRepliesPerSource } from './collector.ts';
export { deviceKey, isPlaceholderSerial, isSameDevice, usableMac } from './device-identity.ts';
export type { DiscoveryRun } from './discover.ts';
export { collectDevices, discover } from './discover.ts';
export type { DiscoverOptions } from './discover-options.ts';
export type {
  DeviceWarning,
  DiscoveredDevice,
  EligibilityRules,
  IneligibilityReason,
} from './discovered-device.ts';
export type { DiscoveryErrorCode } from './discovery-error.ts';
export { DiscoveryError } from './discovery-error.ts';
export type {
  DiscoveryCounters,
  DiscoveryEvent,
  DiscoverySummary,
  RejectionReason,
  SerialConflict,
} from './events.ts';
export { jsonDiscoveryCodec, jsonProtocolName, jsonProtocolVersion } from './json-codec.ts';
export type {
  DeviceAnnouncement,
  DeviceApi,
  DeviceState,
  DiscoveryProbe,
  DiscoveryReply,
  ProbeFilter,
} from './messages.ts';
export { matchesFilter } from './messages.ts';
export type { NetworkAddress } from './network.ts';
export { directedBroadcast, formatUrlHost, localSubnetOf } from './network.ts';
export { defaultDiscoveryPort, discoveryMulticastGroup } from './probe-plan.ts';
export type { SilenceReason } from './reply-policy.ts';
export type { Responder, ResponderCounters } from './responder.ts';
export { startResponder } from './responder.ts';
export type { ResponderOptions } from './responder-options.ts';
export type { BindDatagramSocket, DatagramBinding, DatagramHandlers, DatagramSocket } from './sockets.ts';
export { bindSystemSocket, systemNetwork } from './system-sockets.ts';
export type { Endpoint } from './targets.ts';
export { maxTargets, parseTargets } from './targets.ts';
