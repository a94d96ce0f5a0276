/** One simulated gateway: a responder, an API, a TPM and a runtime that connects, on a loopback address of its own. */
import { X509Certificate, createHash } from 'node:crypto';
import type { DeviceAnnouncement, Responder } from '@endorse/discovery';
import { startResponder } from '@endorse/discovery';
import type { Clock, Transport } from '@endorse/interface';
import type { TestAuthority } from '@endorse/testkit';
import type { DeviceEvent } from './device.ts';
import { Device } from './device.ts';
import type { EdgeAssignment } from './edge-runtime.ts';
import { EdgeRuntime } from './edge-runtime.ts';
import type { GatewayTpm } from './gateway-tpm.ts';
import type { HttpsListener } from './https-listener.ts';
import { startHttpsListener } from './https-listener.ts';
import { answerRequest } from './rest-api.ts';
import type { GatewaySpec } from './spec.ts';

/** A running gateway. */
export interface SimulatedGateway extends AsyncDisposable {
  /** As it is now: its address and what it calls itself may change. */
  readonly spec: GatewaySpec;
  /** Where its API is now; 0 when it has none. */
  readonly port: number;
  /** SHA-256 of its certificate, 64 hex digits; empty when it has no API. */
  readonly fingerprint: string;
  /** Undefined until it registered. */
  readonly assignment: EdgeAssignment | undefined;
  /** What happened to it so far, oldest first. */
  readonly events: readonly DeviceEvent[];
  /** How many sessions are open. */
  readonly openSessions: number;
  readonly tpm: GatewayTpm;
  /** The state of the gateway; undefined for a foreign device. */
  readonly device: Device | undefined;
  /** Gives it another address, and perhaps another name for its model, as the field does; it stays who it is. */
  moveTo(address: string, model?: string): Promise<void>;
  /** Switches it off. */
  stop(): Promise<void>;
}

/** The world of a gateway. */
export interface GatewayWorld {
  readonly clock: Clock;
  /** Signs the certificates; nobody trusts it. */
  readonly authority: TestAuthority;
  /** UDP port of the responders. */
  readonly discoveryPort: number;
  /** Carrier to the provisioning service. */
  readonly transport: Transport;
  /** Makes a TPM. */
  readonly makeTpm: () => GatewayTpm;
  readonly onEvent: (gateway: GatewaySpec, event: DeviceEvent) => void;
}

const retryDelayMs = 2_000;
const resetDurationMs = 500;

/** Switches a gateway on. */
export async function startGateway(initial: GatewaySpec, world: GatewayWorld): Promise<SimulatedGateway> {
  let spec = initial;
  const events: DeviceEvent[] = [];
  const onEvent = (event: DeviceEvent): void => {
    events.push(event);
    world.onEvent(spec, event);
  };
  const { certificatePem, privateKeyPem } = world.authority.issue({
    commonName: spec.serialNumber,
    names: [spec.address],
  });
  let certificate = new X509Certificate(certificatePem);
  let listener: HttpsListener | undefined;
  let responder: Responder | undefined;
  const tpm = world.makeTpm();
  const foreignTpm = spec.faults.includes('foreign-key') ? world.makeTpm() : undefined;

  const edge = new EdgeRuntime({
    transport: world.transport,
    openTpm: (registrationId) => tpm.open(registrationId),
    clock: world.clock,
    retryDelayMs,
    resetDurationMs,
    onEvent,
  });
  const device =
    spec.family === undefined
      ? undefined
      : new Device(spec, spec.family, {
          clock: world.clock,
          edge,
          endorsementKey: async () =>
            Buffer.from(await (foreignTpm ?? tpm).endorsementKey()).toString('base64'),
          setDiscovery: async (enabled) => {
            if (enabled) await responder?.enable();
            else await responder?.disable();
          },
          // After the answer: what moves the port cuts the connection it came over.
          movePort: (port) => {
            setImmediate(() => {
              listener?.moveTo(port).catch(() => undefined);
            });
          },
          useCertificate: (pem, keyPem) => {
            listener?.useCertificate(pem, keyPem);
            certificate = new X509Certificate(pem);
          },
          onEvent,
        });

  const respond = (): Promise<Responder> =>
    startResponder({
      port: world.discoveryPort,
      addresses: [spec.address],
      device: () => announce(spec, device, listener?.port ?? spec.port, certificate),
    });
  const moveTo = async (address: string, model = spec.model): Promise<void> => {
    spec = { ...spec, address, model, announcedAddresses: [address] };
    await listener?.moveTo(listener.port, address);
    await responder?.stop();
    responder = await respond();
    if (device?.discovery === false) await responder.disable();
  };
  const stop = async (): Promise<void> => {
    await responder?.stop();
    await edge.stop();
    await listener?.stop();
    await Promise.all([tpm.stop(), foreignTpm?.stop()]);
  };
  try {
    if (device !== undefined && !device.has('unreachable')) {
      const { address, port } = spec;
      const answer = (request: Parameters<typeof answerRequest>[1]): ReturnType<typeof answerRequest> =>
        answerRequest(device, request);
      listener = await startOnFreePort({ address, port, certificatePem, keyPem: privateKeyPem, answer });
      device.httpsPort = listener.port;
    }
    responder = await respond();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    get spec() {
      return spec;
    },
    get port() {
      return listener?.port ?? 0;
    },
    get fingerprint() {
      return listener === undefined ? '' : certificate.fingerprint256.replaceAll(':', '').toLowerCase();
    },
    get assignment() {
      return edge.assignment;
    },
    events,
    get openSessions() {
      return device?.sessions.size ?? 0;
    },
    device,
    tpm,
    moveTo,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Port 443 may be forbidden to us, and any may be taken: then the system chooses, and the gateway announces that. */
async function startOnFreePort(options: Parameters<typeof startHttpsListener>[0]): Promise<HttpsListener> {
  try {
    return await startHttpsListener(options);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EACCES' && code !== 'EADDRINUSE') throw error;
    return startHttpsListener({ ...options, port: 0 });
  }
}

function announce(
  spec: GatewaySpec,
  device: Device | undefined,
  port: number,
  certificate: X509Certificate,
): DeviceAnnouncement {
  const { announcedSerial, vendor, model, mac, announcedAddresses, firmware } = spec;
  const isClaimed = device !== undefined && device.passwordChangedAt !== null;
  return {
    serial: announcedSerial,
    vendor,
    model,
    mac,
    hostname: device?.hostName ?? 'switch',
    addresses: announcedAddresses,
    api: {
      scheme: 'https',
      port: port === 0 ? 8443 : port,
      path: '/api/v1',
      ...(device === undefined ? {} : { kind: device.family }),
    },
    firmware,
    ...(device === undefined ? {} : { tlsSha256: publicKeyHash(certificate) }),
    state: device === undefined ? 'unknown' : isClaimed ? 'claimed' : 'factory',
    capabilities: device === undefined ? [] : device.has('no-tpm') ? ['dps'] : ['tpm', 'dps'],
  };
}

function publicKeyHash({ publicKey }: X509Certificate): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}
