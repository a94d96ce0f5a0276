/** The IoT Edge part: DPS settings, endorsement key, restart and reset. */
import type { Device } from './device.ts';
import type { EdgeSettings } from './edge-runtime.ts';
import type { RestAnswer, RestRequest, Route } from './route.ts';
import { ok, refuse } from './route.ts';

export const edgeRoutes: readonly Route[] = [
  { method: 'GET', path: /^\/azure-iotedge$/, handle: (device) => describeEdge(device) },
  { method: 'PATCH', path: /^\/azure-iotedge$/, handle: writeEdge },
  {
    method: 'PUT',
    path: /^\/azure-iotedge\/restart$/,
    handle: (device) => {
      if (!device.has('never-connects')) device.ports.edge.restart(device.provisioning);
      return describeEdge(device);
    },
  },
  {
    method: 'PUT',
    path: /^\/azure-iotedge\/reset$/,
    handle: (device) => {
      if (!device.has('never-connects')) device.ports.edge.reset(device.provisioning);
      return ok({ iotedge: { status: 'resetting' } }, 202);
    },
  },
];

async function describeEdge(device: Device): Promise<RestAnswer> {
  const { provisioning, ports } = device;
  const { status } = ports.edge;
  const isSelected = provisioning.source === 'dps' && provisioning.method === 'tpm';
  const isShown = !device.has('no-tpm') && (isSelected || !device.has('key-after-selection'));
  return ok({
    iotedge: { version: '1.4.10', modules: [], ...(status === undefined ? {} : { status }) },
    provisioning: {
      globalEndpoint: 'https://global.azure-devices-provisioning.net',
      supportTwin: true,
      ...provisioning,
      ...(isShown ? { endorsementKey: await ports.endorsementKey() } : {}),
    },
    downstreamCerts: { mode: 'default' },
  });
}

async function writeEdge(device: Device, { body }: RestRequest): Promise<RestAnswer> {
  if (device.busyAnswers > 0) {
    device.busyAnswers -= 1;
    return refuse(device, 400, 'Azure IoT Edge service is busy, please try again later.');
  }
  const written = (body['provisioning'] ?? {}) as Partial<EdgeSettings>;
  const next = { ...device.provisioning, ...written };
  const problem = findProblem(device, written, next);
  if (problem !== undefined) {
    return refuse(
      device,
      400,
      device.family === 'aig-302' ? `invalid input, err: ${problem}` : 'input config fail',
    );
  }
  if (!device.has('forgets-writes')) {
    device.provisioning = next;
    if (written.scopeId !== undefined) device.ports.onEvent({ event: 'provisioning-written' });
    if (written.enable !== undefined && !device.has('never-connects')) device.ports.edge.apply(next);
  }
  return describeEdge(device);
}

/** What the gateway does not like; the family decides whether it says so. */
function findProblem(device: Device, written: Partial<EdgeSettings>, next: EdgeSettings): string | undefined {
  if (device.has('refuses-writes')) return 'source need one of dps or manual';
  const { source, method, scopeId, registrationId, globalEndpoint } = next;
  if (source !== 'dps') return source === 'manual' ? undefined : 'source need one of dps or manual';
  if (method === 'tpm' && device.has('no-tpm')) return 'dps-tpm mode but this device is not support TPM';
  if (globalEndpoint !== undefined && !globalEndpoint.startsWith('https://'))
    return 'globalEndpoint need https';
  if (registrationId !== undefined && !/^[a-z0-9-]{1,128}$/.test(registrationId)) {
    return "registrationID only support lowercase alphanumeric and dash ('-') characters";
  }
  // One family wants everything at once, the other takes it piece by piece until it is enabled.
  if (device.family === 'aig-301' && written.enable !== true) return undefined;
  if (scopeId === undefined || scopeId === '') return 'dps provisioning need scopeId';
  return registrationId === undefined ? 'dps mode need registration ID' : undefined;
}
