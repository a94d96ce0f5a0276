/** Identity, time, switches, services and the HTTPS server. */
import type { Device } from './device.ts';
import type { RestAnswer, RestRequest, Route } from './route.ts';
import { ok, refuse } from './route.ts';

export const systemRoutes: readonly Route[] = [
  { method: 'GET', path: /^\/device\/general$/, handle: (device) => describeGeneral(device) },
  {
    method: 'PATCH',
    path: /^\/device\/general$/,
    handle: (device, { body }) => {
      if (typeof body['hostName'] === 'string') {
        device.hostName = body['hostName'];
        device.changed('hostName', device.hostName);
      }
      return describeGeneral(device);
    },
  },
  {
    method: 'GET',
    path: /^\/device\/ethernets$/,
    handle: ({ spec }) => {
      const mac = spec.mac.match(/../g)?.join(':') ?? '';
      return ok([
        { id: 1, enable: true, enableDhcp: true, ip: spec.address, netmask: '255.0.0.0', mac, wan: true },
      ]);
    },
  },
  { method: 'GET', path: /^\/device\/time$/, handle: (device) => describeTime(device) },
  {
    method: 'PATCH',
    path: /^\/device\/time$/,
    handle: (device, { body }) => {
      const time = Date.parse(String(body['time']));
      if (Number.isNaN(time)) return refuse(device, 400, 'invalid input, err: time');
      device.timeOffsetMs = time - device.ports.clock.now();
      device.changed('time', body['time']);
      return describeTime(device);
    },
  },
  ...discoverySwitch('aig-301', /^\/system\/discovery$/),
  ...discoverySwitch('aig-302', /^\/system\/provision$/),
  {
    method: 'GET',
    path: /^\/system\/serialconsole$/,
    handle: ({ serialConsole }) => ok({ enable: serialConsole }),
  },
  {
    method: 'PUT',
    path: /^\/system\/serialconsole$/,
    handle: (device, { body }) => {
      device.serialConsole = body['enable'] === true;
      device.changed('serialConsole', device.serialConsole);
      return ok({ enable: device.serialConsole });
    },
  },
  {
    method: 'GET',
    path: /^\/system\/sshserver$/,
    handle: ({ ssh, family }) =>
      ok(
        family === 'aig-302'
          ? ssh
          : { sshEnable: ssh.enable, sshPort: ssh.port, sshWhiteList: [], maxRuleCount: 10 },
      ),
  },
  { method: 'PUT', path: /^\/system\/sshserver$/, family: 'aig-301', handle: writeSsh },
  { method: 'PATCH', path: /^\/system\/sshserver$/, handle: writeSsh },
  { method: 'GET', path: /^\/system\/httpserver$/, handle: describeHttps },
  { method: 'PATCH', path: /^\/system\/httpserver$/, handle: writeHttps },
  {
    method: 'GET',
    path: /^\/system\/services$/,
    family: 'aig-301',
    handle: ({ services }) =>
      ok({ service: services.map(({ id, available, enabled }) => ({ id, available, enable: enabled })) }),
  },
  {
    method: 'PUT',
    path: /^\/system\/services\/(\w+\/(?:enable|disable))$/,
    family: 'aig-301',
    handle: writeService,
  },
];

function describeGeneral(device: Device): RestAnswer {
  const { spec, family, hostName } = device;
  if (device.has('malformed-answers')) return { raw: '<html><body>502 Bad Gateway</body></html>' };
  return ok({
    serialNumber: device.has('wrong-serial') ? 'TBZZZ9999999' : spec.serialNumber,
    modelName: spec.model,
    hostName,
    [family === 'aig-302' ? 'softwareVersion' : 'thingsproVersion']: '2.5.0-4211',
    firmwareVersion: spec.firmware,
    memorySize: 2_116_034_560,
  });
}

function describeTime({ ports, timeOffsetMs }: Device): RestAnswer {
  const time = `${new Date(ports.clock.now() + timeOffsetMs).toISOString().slice(0, 19)}Z`;
  return ok({ lastUpdateTime: '-', time, timezone: 'Etc/UTC', ntp: { enable: false } });
}

function discoverySwitch(family: Device['family'], path: RegExp): readonly Route[] {
  return [
    { method: 'GET', path, family, handle: ({ discovery }) => ok({ enable: discovery }) },
    {
      method: 'PUT',
      path,
      family,
      handle: async (device, { body }) => {
        device.discovery = body['enable'] === true;
        await device.ports.setDiscovery(device.discovery);
        device.changed('discovery', device.discovery);
        return ok({ enable: device.discovery });
      },
    },
  ];
}

function writeSsh(device: Device, { body }: RestRequest): RestAnswer {
  const { enable = device.ssh.enable, port = device.ssh.port } = body;
  if (typeof enable !== 'boolean' || !Number.isInteger(port))
    return refuse(device, 400, 'invalid input, err: ssh');
  device.ssh = { enable, port: Number(port) };
  device.changed('ssh', device.ssh);
  return ok(device.ssh);
}

function describeHttps({ httpsPort, certificateFile }: Device): RestAnswer {
  const names = { certFileName: certificateFile, keyFileName: 'default.key' };
  return ok({ httpEnable: false, httpPort: 80, httpsEnable: true, httpsPort, ...names });
}

function writeHttps(device: Device, { body }: RestRequest): RestAnswer {
  const { httpsPort, httpsEnable } = body;
  if (httpsEnable === false && device.family === 'aig-302') {
    return { status: 400, body: { code: 400, message: "invalid input, err: HTTPS can't be disabled" } };
  }
  const certificate = body['cert'] ?? body['certFile'];
  if (typeof certificate === 'string') {
    try {
      device.ports.useCertificate(certificate, String(body['key'] ?? body['keyFile']));
    } catch {
      return {
        status: 400,
        body: { code: 400, message: 'invalid input, err: certificate and key do not match' },
      };
    }
    device.certificateFile = 'uploaded.crt';
    device.changed('certificate', device.certificateFile);
  }
  if (Number.isInteger(httpsPort)) {
    device.httpsPort = Number(httpsPort);
    device.ports.movePort(device.httpsPort);
    device.changed('httpsPort', device.httpsPort);
  }
  return describeHttps(device);
}

function writeService(device: Device, _request: RestRequest, parameter: string): RestAnswer {
  const [id = '', verb] = parameter.split('/');
  const enabled = verb === 'enable';
  const service = device.services.find((each) => each.id === id);
  if (service?.available !== true) return refuse(device, 400, 'service is not available');
  device.services = device.services.map((each) => (each.id === id ? { ...each, enabled } : each));
  device.changed(`service:${id}`, enabled);
  return ok({ enable: enabled });
}
