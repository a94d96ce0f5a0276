import type { AttestationKind } from '@endorse/interface';
import type { Direction, NetworkFault } from './network-proxy.ts';
import type { TpmFault } from './tpm-proxy.ts';

/** When a fault of the network is armed. */
export type NetworkStep = 'connect' | 'challenge' | 'register' | 'poll';

/** One registration with one fault in it. */
export interface FaultCase {
  readonly carrier: string;
  readonly attestation: AttestationKind;
  readonly injection:
    | {
        readonly where: 'network';
        readonly step: NetworkStep;
        readonly direction: Direction;
        readonly fault: NetworkFault;
      }
    | {
        readonly where: 'tpm';
        /** Which command of the registration, counted from 0. */
        readonly command: number;
        readonly fault: TpmFault;
      };
}

/** Steps of a registration by what the attestation needs. */
export function networkSteps(attestation: AttestationKind): readonly NetworkStep[] {
  return attestation === 'tpm'
    ? ['connect', 'challenge', 'register', 'poll']
    : ['connect', 'register', 'poll'];
}

/** Every kind of fault of the network. */
export const networkFaultKinds: readonly NetworkFault['kind'][] = Object.freeze([
  'latency',
  'bandwidth',
  'drop',
  'reset',
  'half-close',
  'corrupt',
]);

/** Both directions. */
export const directions: readonly Direction[] = Object.freeze(['to-service', 'to-device']);

/** A fault of a kind, its size taken from numbers of 0 or more and less than 1. */
export function makeNetworkFault(kind: NetworkFault['kind'], size: number): NetworkFault {
  // A handshake is some 3,000 bytes, a request or an answer some hundreds: most of these strike inside of either.
  const bytes = Math.floor(size * size * 4_000);
  switch (kind) {
    case 'latency':
      return { kind, delayMs: 5 + Math.floor(size * 60) };
    case 'bandwidth':
      return { kind, bytesPerSecond: 20_000 + Math.floor(size * 200_000) };
    case 'corrupt':
      return { kind, atByte: bytes };
    case 'drop':
    case 'reset':
    case 'half-close':
      return { kind, afterBytes: bytes };
    default:
      return kind satisfies never;
  }
}

/** One line that says which case it is. */
export function describeCase({ carrier, attestation, injection }: FaultCase): string {
  const head = `${attestation} over ${carrier}`;
  if (injection.where === 'tpm') return `${head}: TPM ${injection.fault} at command ${injection.command}`;
  const { step, direction, fault } = injection;
  return `${head}: ${JSON.stringify(fault)} ${direction} at ${step}`;
}
