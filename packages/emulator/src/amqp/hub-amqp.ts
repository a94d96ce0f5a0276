/**
 * A hub over AMQP: a device shows its token in SASL PLAIN or puts it to `$cbs`, or shows a certificate, and sends
 * events. One connection may carry several devices, each with a token of its own.
 */
import type { AmqpError } from '@endorse/protocol';
import { conditionOfStatus, decodeSaslPlain, saslPlain } from '@endorse/protocol';
import type { Message } from 'rhea';
import type { EmulatorCore } from '../core/core.ts';
import { readToken } from '../core/token-check.ts';
import type { DeviceConnection, DisconnectReason } from '../hub/device-connections.ts';
import type { DeviceSession } from '../hub/device-session.ts';
import type { HubFault } from '../hub/hub-fault.ts';
import { hubRefusals } from '../hub/hub-fault.ts';
import type { IotHub } from '../hub/hub.ts';
import { maxEventBytes } from '../listener/hub-handler.ts';
import type { ConnectionInfo } from '../listener/stream-handler.ts';
import { deviceOfResource, parseHubNode } from './hub-node.ts';
import { toAmqpMessage } from './rhea-messages.ts';
import type { AmqpHold, AmqpService, ReceivedMessage } from './rhea-server.ts';
import { offerMechanisms, openMechanisms, saslMechanism } from './sasl-mechanism.ts';

/** What the service works with. */
export interface HubAmqpParts {
  readonly core: Pick<EmulatorCore, 'emit' | 'underFaults'>;
  readonly hub: IotHub;
  /** How the connection came, for events. */
  readonly carrier: 'amqp' | 'amqp-ws';
}

/** How many devices one connection may carry; the hub's own limit for AMQP is in the thousands. */
const maxDevices = 1000;

/** Makes the service of one connection. */
export function createHubAmqpService(
  { core, hub, carrier }: HubAmqpParts,
  { certificates }: ConnectionInfo,
  hold: AmqpHold,
): AmqpService {
  const sessions = new Map<string, DeviceSession>();
  const note = (operation: string, { code: message, ...fault }: HubFault, deviceId?: string): void => {
    const subject = deviceId === undefined ? {} : { subject: deviceId };
    core.emit({ event: 'request-refused', operation, ...subject, message, ...fault });
  };
  const listeners = {
    onRefused: hold.end,
    onDropped: hold.drop,
    sleep: async () => undefined,
    noteViolation: (reason: string) => note('connect', hubRefusals.unauthorized(reason).fault),
  };

  return {
    mechanisms: offerMechanisms(listeners, {
      [saslPlain]: () =>
        saslMechanism(listeners, (response) => {
          const { username, password } = decodeSaslPlain(response);
          const deviceId = /^(.+)@sas\.[^@]+$/.exec(username)?.[1];
          if (deviceId !== undefined) return letIn(deviceId, password) === undefined;
          listeners.noteViolation('the user name is not {deviceId}@sas.{hub}');
          return false;
        }),
      ...openMechanisms,
    }),
    attach: (address) => {
      const node = parseHubNode(address);
      if (node === undefined) {
        const { fault } = hubRefusals.invalidArgument(
          `there is no node ${address.slice(0, 200)} on this hub`,
        );
        note('attach', fault);
        return { ...amqpError(fault), condition: 'amqp:not-found' };
      }
      if (node.kind === 'cbs' || sessions.has(node.deviceId)) return undefined;
      const fault = letIn(node.deviceId, undefined);
      return fault === undefined ? undefined : amqpError(fault);
    },
    receive: (received) => {
      const node = parseHubNode(received.address);
      if (node?.kind === 'cbs') putToken(received);
      else if (node?.kind === 'events') takeEvent(received, node.deviceId);
    },
    refuse: (reason) => {
      const { fault } = hubRefusals.invalidArgument(reason);
      note('amqp', fault);
      return amqpError(fault);
    },
    close: () => {
      for (const session of sessions.values()) session.close();
    },
  };

  /** Lets a device in with a token or, without one, with the certificate of the connection; a new token prolongs its stay. */
  function letIn(deviceId: string, token: string | undefined): HubFault | undefined {
    const known = sessions.get(deviceId);
    if (known !== undefined && token !== undefined) return known.renewToken(token);
    if (sessions.size >= maxDevices) {
      const { fault } = hubRefusals.tooLarge(`a connection may carry ${maxDevices} devices`);
      note('connect', fault, deviceId);
      return fault;
    }
    const answer = hub.connect({ deviceId, token, certificate: certificates?.[0] }, connectionOf(deviceId));
    // The hub has reported it.
    if (answer.outcome === 'refused') return answer.fault;
    sessions.set(deviceId, answer.session);
    return undefined;
  }

  function connectionOf(deviceId: string): DeviceConnection {
    const nobodyAsked = (): void => undefined;
    return {
      carrier,
      // No link for methods or twins is taken, so that no feed is ever asked for.
      deliverMethod: nobodyAsked,
      deliverDesired: nobodyAsked,
      disconnect: (reason) => {
        sessions.delete(deviceId);
        hold.close({ condition: conditions[reason], description: `the hub ended the connection: ${reason}` });
      },
    };
  }

  function putToken({ message, accept, reject, findAnswerLink }: ReceivedMessage): void {
    const answerLink = findAnswerLink((address) => address === '$cbs');
    if (answerLink === undefined) {
      reject({ condition: 'amqp:not-allowed', description: 'there is no link from $cbs to answer on' });
      return;
    }
    accept();
    const fault = readPutToken(message);
    answerLink.send({
      ...(message.message_id === undefined ? {} : { correlation_id: message.message_id }),
      application_properties: {
        'status-code': fault?.status ?? 200,
        'status-description': fault === undefined ? 'OK' : `${fault.code}: ${fault.reason}`,
      },
      body: '',
    });
  }

  function readPutToken(message: Message): HubFault | undefined {
    const { applicationProperties, body } = toAmqpMessage(message);
    const { operation, type } = applicationProperties;
    const isToken = operation === 'put-token' && type === 'servicebus.windows.net:sastoken';
    const reading = readToken(isToken && typeof body === 'string' ? body : undefined);
    const deviceId = reading.ok ? deviceOfResource(reading.token.resource) : undefined;
    if (deviceId !== undefined) return letIn(deviceId, body as string);
    const reason = reading.ok ? 'the token is not for a device' : reading.reason;
    const { fault } = isToken
      ? hubRefusals.unauthorized(reason)
      : hubRefusals.invalidArgument('$cbs takes put-token of servicebus.windows.net:sastoken');
    note('put-token', fault);
    return fault;
  }

  function takeEvent({ message, accept, reject }: ReceivedMessage, deviceId: string): void {
    const session = sessions.get(deviceId);
    const { applicationProperties, body = '' } = toAmqpMessage(message);
    const bytes = Buffer.from(body);
    if (session === undefined || bytes.byteLength > maxEventBytes) {
      const { fault } =
        session === undefined
          ? hubRefusals.unauthorized('the device has no token on this connection any more')
          : hubRefusals.tooLarge(`an event may have ${maxEventBytes} bytes`);
      note('send-event', fault, deviceId);
      reject(amqpError(fault));
      return;
    }
    const subject = { carrier: 'amqp', operation: 'send-event', device: deviceId } as const;
    const { content_type: contentType } = message;
    const properties = textsOf(applicationProperties);
    const event = { body: bytes, contentType, properties };
    const answer = core.underFaults(subject, () => session.sendEvent(event));
    if (answer.outcome === 'refused') {
      const { status, message: description } = answer.fault;
      reject({ condition: conditionOfStatus(status), description });
    } else if (answer.outcome === 'dropped' || answer.delivery.isDropped) hold.drop();
    else accept();
  }
}

function amqpError({ status, code, errorCode, reason }: HubFault): AmqpError {
  const description = JSON.stringify({ errorCode, message: `${code}: ${reason}` });
  return { condition: conditionOfStatus(status), description };
}

/** The hub keeps properties as text. */
function textsOf(properties: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, String(value)]));
}

const conditions: Readonly<Record<DisconnectReason, string>> = {
  'taken-over': 'amqp:connection:forced',
  'credential-replaced': 'amqp:unauthorized-access',
  'device-removed': 'amqp:not-found',
  'device-blocked': 'amqp:unauthorized-access',
  'token-expired': 'amqp:unauthorized-access',
  'hub-stopped': 'amqp:connection:forced',
};
