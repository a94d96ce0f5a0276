/**
 * What mqtt.js trusts a server with, looked at before it: sizes, framing, and who may send which packet when. Its
 * parser keeps whatever a server announces, and its client goes along with packets that only clients send.
 */
import { RemoteProtocolError } from '@endorse/interface';
import { createPacketGuard } from '@endorse/protocol';
import type { Packet } from 'mqtt-packet';
import { parser as createParser } from 'mqtt-packet';
import { maxPacketBytes } from './limits.ts';

/** Looks at the next bytes of a server; throws `RemoteProtocolError` for what no server sends. */
export type InboundGuard = (chunk: Uint8Array) => void;

/** Makes a guard for one connection. After it has thrown, the connection is of no further use. */
export function createInboundGuard(): InboundGuard {
  const checkSize = createPacketGuard(maxPacketBytes);
  const parser = createParser({ protocolVersion: 4 });
  let failure: RemoteProtocolError | undefined;
  let isAccepted = false;
  parser.on('error', (error: Error) => {
    failure ??= malformed(error);
  });
  parser.on('packet', (packet) => {
    failure ??= findViolation(packet, isAccepted);
    isAccepted ||= packet.cmd === 'connack';
  });
  return (chunk) => {
    checkSize(chunk);
    try {
      parser.parse(Buffer.from(chunk));
    } catch (error) {
      // The parser reads beyond the end of some malformed packets.
      failure ??= malformed(error as Error);
    }
    if (failure !== undefined) throw failure;
  };
}

function findViolation(packet: Packet, isAccepted: boolean): RemoteProtocolError | undefined {
  const { cmd } = packet;
  if (cmd === 'connack') return isAccepted ? unexpected(cmd, 'came twice') : undefined;
  if (!isAccepted) return unexpected(cmd, 'came before CONNACK');
  switch (cmd) {
    case 'publish':
      return packet.qos === 2 ? unexpected(cmd, 'has QoS 2, which was not asked for') : undefined;
    case 'puback':
    case 'suback':
    case 'unsuback':
    case 'pingresp':
      return undefined;
    default:
      return unexpected(cmd, 'is nothing a server sends here');
  }
}

function unexpected(cmd: string, problem: string): RemoteProtocolError {
  return new RemoteProtocolError('ERR_REMOTE_UNEXPECTED', `the MQTT packet ${cmd} ${problem}`, {
    evidence: { path: cmd },
    remedy: 'Check that the host is the provisioning service.',
  });
}

function malformed(cause: Error): RemoteProtocolError {
  return new RemoteProtocolError('ERR_REMOTE_MALFORMED', 'the answer is not MQTT 3.1.1', {
    // The parser's own words, never bytes of the packet.
    evidence: { path: 'packet', sample: cause.message.slice(0, 200) },
    remedy: 'Check that the port belongs to the service.',
  });
}
