import type {
  Clock,
  RegistrationSession,
  RegistrationTarget,
  SessionAttestation,
  Transport,
} from '@endorse/interface';
import { InvalidArgumentError, UnsupportedCapabilityError } from '@endorse/interface';
import { systemClock } from '@endorse/interface/node';
import { parseHostPort, validateIdScope, validateRegistrationId } from '@endorse/protocol';
import type { AzurePollingTransport } from '../azure-types.ts';
import { createCredentials } from './credentials.ts';
import { ForeignCalls } from './foreign-calls.ts';
import { leaseTransport } from './lease.ts';
import { readManifest } from './manifest.ts';
import { AzureSession } from './session.ts';

/** Options of {@link fromAzureTransport}. */
export interface FromAzureTransportOptions {
  /**
   * Where the transport carries the challenge of a TPM: `request` for HTTP, `handshake` for AMQP. Default: as the
   * official transport of that name does, else `handshake`, which is right for both: after a lost connection it asks for
   * a new challenge, at the price of a write to the TPM.
   */
  readonly challenge?: 'request' | 'handshake' | undefined;
  /** Carrier name in progress reports; default that of the official transport, else `azure`. */
  readonly carrier?: string | undefined;
  /** Told each answer of the service as the transport gave it. */
  readonly onResult?: ((result: unknown) => void) | undefined;
  /** Time; default the system clock. */
  readonly clock?: Clock | undefined;
}

/**
 * Puts transports of the official SDK (`Http`, `Amqp`, `AmqpWs`, `Mqtt`, `MqttWs`, or one written for it) behind our
 * contract, with the attestations whose methods they have.
 *
 * `create` makes one for each session (`() => new Http()`), because they keep host, keys and token of a registration;
 * the first is made at once, to see what it carries. One that is given out again while a session still has it is
 * refused with `ERR_LOCAL_STATE`. Every call is settled once, with the first callback, exception or `error` event. An
 * abort rejects at once and calls the transport's `cancel`; what the official HTTP transport has sent by then it cannot
 * take back.
 *
 * Throws `ERR_INVALID_ARGUMENT` when what is made lacks the methods, and what `create` throws.
 */
export function fromAzureTransport(
  create: () => AzurePollingTransport,
  options: FromAzureTransportOptions = {},
): Transport {
  const { challenge, carrier, onResult, clock = systemClock } = options;
  if (typeof create !== 'function') {
    throw new InvalidArgumentError('create', 'must be a function that makes a transport');
  }
  if (challenge !== undefined && challenge !== 'request' && challenge !== 'handshake') {
    throw new InvalidArgumentError('challenge', 'must be request or handshake');
  }
  let first: AzurePollingTransport | undefined = create();
  const capabilities = readManifest(first, {
    ...(challenge === undefined ? {} : { challenge }),
    ...(carrier === undefined ? {} : { carrier }),
  });

  return Object.freeze({
    specificationVersion: 'v1',
    capabilities,
    openSession(target: RegistrationTarget, attestation: SessionAttestation): RegistrationSession {
      checkTarget(target);
      const { kind } = attestation;
      if (!capabilities.attestations.includes(kind)) throw refuse(kind);
      const transport = first ?? create();
      first = undefined;
      const release = leaseTransport(transport, (error) => calls.fail(error));
      const calls = new ForeignCalls(
        {
          cancel: (callback) => transport.cancel(callback),
          disconnect: (callback) => transport.disconnect(callback),
        },
        clock,
        release,
      );
      try {
        const credentials = createCredentials(transport, attestation);
        if (credentials === undefined) throw refuse(kind);
        return new AzureSession({ transport, target, credentials, calls, onResult });
      } catch (error) {
        release();
        throw error;
      }
    },
  } satisfies Transport);

  function refuse(kind: SessionAttestation['kind']): UnsupportedCapabilityError {
    return new UnsupportedCapabilityError(
      `${capabilities.carrier} does not carry ${kind}: ${capabilities.refusals[kind] ?? 'not every transport that was made does'}`,
      { required: kind, available: capabilities.attestations },
    );
  }
}

function checkTarget({ provisioningHost, idScope, registrationId }: RegistrationTarget): void {
  parseHostPort(provisioningHost, { argument: 'target.provisioningHost' });
  validateIdScope(idScope, 'target.idScope');
  validateRegistrationId(registrationId, 'target.registrationId');
}
