import type { AuthenticatedDevice, DeviceRecord } from '../store/index.ts';
import type { Limits } from './limits.ts';
import type { ResolvedOptions } from './options.ts';
import { emptyReply, jsonReply, problemReply } from './reply.ts';

/** Addresses that a device uses with its credentials. */
export const devicePaths = {
  device: '/api/device',
  acknowledgement: '/api/device/acknowledgement',
  credentials: '/api/device/credentials',
} as const;

/** Answers a device at one of {@link devicePaths}. */
export async function serveDevice(
  request: Request,
  path: string,
  source: string,
  options: ResolvedOptions,
  limits: Limits,
): Promise<Response> {
  const method = path === devicePaths.device ? 'GET' : 'POST';
  if (request.method !== method) return problemReply('method-not-allowed', { headers: { allow: method } });
  const device = await authenticate(request.headers.get('authorization'), options);
  if (device === undefined) {
    limits.noteFailure(source);
    options.metrics.count('authentications', 'refused');
    return problemReply('credentials-refused');
  }
  options.metrics.count('authentications', 'accepted');
  switch (path) {
    case devicePaths.acknowledgement:
      return (await options.store.acknowledge(device)) ? emptyReply() : problemReply('credentials-refused');
    case devicePaths.credentials:
      return rotate(device, options);
    default: {
      const record = await options.store.device(device.deviceId);
      return record === undefined
        ? problemReply('credentials-refused')
        : jsonReply(200, describeDevice(record, options.broker));
    }
  }
}

async function authenticate(
  header: string | null,
  { store }: ResolvedOptions,
): Promise<AuthenticatedDevice | undefined> {
  const encoded = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(header ?? '')?.[1];
  if (encoded === undefined || encoded.length > 1_024) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0) return undefined;
  return store.authenticate({ accessKey: text.slice(0, colon), accessSecret: text.slice(colon + 1) });
}

async function rotate(device: AuthenticatedDevice, { store, broker }: ResolvedOptions): Promise<Response> {
  const record = await store.device(device.deviceId);
  if (record?.endorsementKeyName !== undefined) {
    // Its secret has never been outside its TPM in the clear, and must not begin to be.
    return problemReply('tpm-required', { detail: 'a device with a TPM registers anew after its release' });
  }
  const next = await store.rotate(device);
  if (next === undefined) return problemReply('credentials-refused');
  return jsonReply(200, {
    deviceId: next.deviceId,
    accessKey: next.accessKey,
    accessSecret: next.accessSecret.revealText(),
    ...(broker === undefined ? {} : { broker }),
  });
}

function describeDevice(record: DeviceRecord, broker: string | undefined): Readonly<Record<string, unknown>> {
  const definition = JSON.parse(record.definition) as Readonly<Record<string, unknown>>;
  return {
    deviceId: record.deviceId,
    manufacturerId: record.sentId,
    name: record.name,
    recipe: record.recipe,
    ...definition,
    createdAt: new Date(record.createdAt).toISOString(),
    ...(broker === undefined ? {} : { broker }),
  };
}
