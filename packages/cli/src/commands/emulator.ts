import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Emulator } from '@endorse/emulator';
import type { Secret } from '@endorse/interface';
import { defineCommand, type Command, type CommandContext } from '../command/command.ts';
import { UsageError } from '../command/usage-error.ts';
import { checkOption } from '../command/check-option.ts';
import { parseHub } from './parse-hub.ts';
import { readOptionFile } from './read-file.ts';
import { waitForAbort } from './wait-for-abort.ts';

/** `endorse emulator`: runs the emulated provisioning service until it is interrupted. */
export const emulatorCommand: Command = defineCommand({
  path: ['emulator'],
  summary: 'run a provisioning service and an IoT hub on this machine',
  description: [
    'Runs an emulated Device Provisioning Service with real TPM attestation, its service API and a small IoT hub, until Ctrl-C. Nothing leaves the machine, and everything is forgotten at the end, unless --data names a directory to keep it in.',
    'Clients have to trust its CA: its file is printed. With --ca-dir or --data the CA is kept there and used again, otherwise it is made anew and its file removed at the end.',
    'With --json the first line is {"event":"ready",…} with the ID scope, the connection string of the service API, the CA file, the address of the admin page and the endpoints; further lines tell what happens.',
  ],
  options: {
    'http-port': port('port of the device and service API'),
    'hub-port': port('port of the hub'),
    'amqp-port': port('port of AMQP'),
    'mqtt-port': port('port of MQTT'),
    'admin-port': port('port of the admin page and its API, on this machine only'),
    bind: { type: 'string', value: 'ADDR', summary: 'address to listen on', default: '127.0.0.1' },
    'allow-non-loopback': {
      type: 'boolean',
      summary: 'allow a --bind that other machines reach: a fake service with a fake CA, open to all of them',
    },
    hostname: { type: 'strings', value: 'NAME', summary: 'further name for the certificate and for tokens' },
    'advertised-host': {
      type: 'string',
      value: 'NAME',
      summary: 'host that is handed out, also as assigned hub',
    },
    'id-scope': { type: 'string', value: 'SCOPE', summary: 'ID scope, 0ne00000000 unless given' },
    'retry-after': integer(
      'S',
      'pause devices are asked for while they are being assigned, in seconds',
      3600,
    ),
    'assigning-ms': integer('N', 'how long an assignment takes, in milliseconds', 3_600_000),
    data: {
      type: 'string',
      value: 'DIR',
      summary:
        'directory in which everything outlives the emulator: enrollments, registrations, hubs, keys, CA, ports',
    },
    'connection-string-file': {
      type: 'string',
      value: 'FILE',
      summary: 'file to put the connection string of the service API into, readable by you alone',
    },
    'seed-file': {
      type: 'string',
      value: 'FILE',
      summary: 'YAML or JSON with hubs, enrollments, groups, CA certificates and faults to begin with',
    },
    hub: {
      type: 'strings',
      value: 'NAME[,weight=N][,port=N]',
      summary: 'a linked hub; one called hub unless given',
    },
    'allocation-policy': {
      type: 'string',
      value: 'WORD',
      summary: 'policy of enrollments that name none',
      default: 'hashed',
      choices: ['hashed', 'geoLatency', 'static'],
    },
    quotas: {
      type: 'boolean',
      summary:
        'keep to the limits the service documents: 1,000 requests and registrations a minute, 1,000,000 enrollments, 100 groups of a kind',
    },
    strict: {
      type: 'boolean',
      summary: 'take only what the documentation of the service allows, not all that the service takes',
    },
    'random-seed': {
      type: 'string',
      value: 'TEXT',
      summary: 'make every key, blob and id repeat from run to run; whoever knows the text knows the keys',
    },
    'clock-skew-ms': {
      type: 'integer',
      value: 'N',
      summary: "how far the service's clock is off",
      minimum: -31_536_000_000,
      maximum: 31_536_000_000,
    },
    restore: {
      type: 'string',
      value: 'FILE',
      summary: 'snapshot to begin with, in place of what --data has',
    },
    snapshot: {
      type: 'string',
      value: 'FILE',
      summary: 'where to write a snapshot at the end, with keys in clear',
    },
    'ca-dir': { type: 'string', value: 'DIR', summary: 'directory whose CA is used, or where one is put' },
  },
  examples: [
    { line: 'endorse emulator', says: 'run on free ports and print where' },
    { line: 'endorse emulator --data ./emulator', says: 'go on where the last run ended, on the same ports' },
    {
      line: 'endorse emulator --seed-file plant.yaml --hub east,weight=3 --hub west',
      says: 'begin with enrollments, and two hubs',
    },
    { line: 'endorse emulator --json | head -1', says: 'what a script needs to know, in one line' },
  ],
  exitCodes: { 130: 'interrupted: the ordinary end' },
  async run(values, context) {
    const hubs = values.hub.map(parseHub);
    const { 'random-seed': seed, restore, snapshot } = values;
    const restored = restore === undefined ? undefined : readOptionFile('restore', restore);
    const kept = values['ca-dir'] ?? values.data;
    const directory = kept ?? mkdtempSync(join(tmpdir(), 'endorse-ca-'));
    try {
      const { createSeededRandom, serviceQuotas, startEmulator } = await import('@endorse/emulator');
      const emulator = await startEmulator({
        bind: values.bind,
        allowNonLoopback: values['allow-non-loopback'],
        hostnames: values.hostname,
        caDirectory: directory,
        retryAfterSeconds: values['retry-after'] ?? 0,
        assigningDurationMs: values['assigning-ms'] ?? 0,
        onEvent: (event) => {
          const { event: name, at, ...fields } = event;
          context.output.event(event);
          context.output.progress(`${new Date(at).toISOString().slice(11, 23)} ${describe(name, fields)}`);
        },
        allocationPolicy: values['allocation-policy'] as 'hashed' | 'geoLatency' | 'static',
        strictness: values.strict ? 'strict' : 'loose',
        ...(values.quotas ? { quotas: serviceQuotas } : {}),
        clockSkewMs: values['clock-skew-ms'] ?? 0,
        ...(hubs.length === 0 ? {} : { hubs }),
        ...(seed === undefined ? {} : { random: createSeededRandom(seed) }),
        ...(values['seed-file'] === undefined ? {} : { seedFile: values['seed-file'] }),
        adminPort: values['admin-port'] ?? 0,
        ...(values['advertised-host'] === undefined ? {} : { advertisedHost: values['advertised-host'] }),
        ...(values.data === undefined ? {} : { dataDirectory: values.data }),
        ...(values['http-port'] === undefined ? {} : { httpPort: values['http-port'] }),
        ...(values['hub-port'] === undefined ? {} : { hubPort: values['hub-port'] }),
        ...(values['amqp-port'] === undefined ? {} : { amqpPort: values['amqp-port'] }),
        ...(values['mqtt-port'] === undefined ? {} : { mqttPort: values['mqtt-port'] }),
        ...(values['id-scope'] === undefined ? {} : { idScope: values['id-scope'] }),
      });
      try {
        const { 'connection-string-file': file } = values;
        if (file !== undefined) writeConnectionString(file, emulator.serviceConnectionString);
        if (restored !== undefined) await restoreFrom(emulator, restored);
        announce(emulator, context);
        await waitForAbort(context.signal);
        if (snapshot !== undefined) {
          const text = (await emulator.snapshot()).revealText();
          writeFileSync(snapshot, text, { mode: 0o600 });
        }
      } finally {
        await emulator.stop();
      }
    } finally {
      if (kept === undefined) rmSync(directory, { recursive: true, force: true });
    }
    throw context.signal.reason;
  },
});

async function restoreFrom(emulator: Emulator, text: string): Promise<void> {
  try {
    await emulator.restore(text);
  } catch (error) {
    checkOption('restore', () => {
      throw error;
    });
  }
}

function announce(emulator: Emulator, { output }: CommandContext): void {
  const { idScope, caFile, provisioningHost, endpoints } = emulator;
  // The one place that hands the key out: whoever runs the emulator owns it.
  const serviceConnectionString = emulator.serviceConnectionString.revealText();
  output.event({
    event: 'ready',
    idScope,
    serviceConnectionString,
    caFile,
    endpoints: {
      http: endpoints.http,
      amqp: endpoints.amqp,
      mqtt: endpoints.mqtt,
      service: endpoints.service,
      hub: endpoints.hub,
    },
    adminUrl: adminUrl(emulator),
  });
  const row = (name: string, value: string): void =>
    output.result(`${output.style('dim', name.padEnd(12))} ${value}`);
  output.result(output.style('green', 'The emulator is ready. Ctrl-C ends it.'));
  row('ID scope', idScope);
  row('host', provisioningHost);
  row('AMQP', endpoints.amqp);
  row('MQTT', endpoints.mqtt);
  for (const { name, hostName } of emulator.hubs) {
    row(emulator.hubs.length === 1 ? 'hub' : `hub ${name}`, hostName);
  }
  row('CA file', caFile ?? 'none');
  row('service API', serviceConnectionString);
  row('admin page', adminUrl(emulator) ?? 'none');
  output.result('');
  output.result(
    output.style(
      'dim',
      'Enroll a device and register it, with the connection string in ENDORSE_CONNECTION_STRING:',
    ),
  );
  output.result(`  endorse enrollment create --ca ${caFile ?? 'FILE'} --tpm URL`);
  output.result(
    `  endorse register --host ${provisioningHost} --id-scope ${idScope} --ca ${caFile ?? 'FILE'} --tpm URL`,
  );
}

/** The page takes the token from the fragment, which browsers send to nobody. */
function adminUrl({ admin }: Emulator): string | undefined {
  return admin && `${admin.url}/#token=${admin.token.revealText()}`;
}

function writeConnectionString(file: string, connectionString: Secret): void {
  try {
    // Made anew, for the mode of an existing file would stay.
    rmSync(file, { force: true });
    writeFileSync(file, `${connectionString.revealText()}\n`, { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    throw new UsageError(`--connection-string-file: cannot write ${file}`, { cause });
  }
}

function describe(name: string, fields: Readonly<Record<string, unknown>>): string {
  const details = Object.entries(fields).filter(([, value]) => value !== undefined);
  return [name, ...details.map(([key, value]) => `${key}=${String(value)}`)].join(' ');
}

function port(summary: string): { type: 'integer'; value: 'N'; summary: string; minimum: 0; maximum: 65535 } {
  return {
    type: 'integer',
    value: 'N',
    summary: `${summary}; 0 lets the system choose`,
    minimum: 0,
    maximum: 65_535,
  };
}

function integer<Maximum extends number>(
  value: string,
  summary: string,
  maximum: Maximum,
): { type: 'integer'; value: string; summary: string; minimum: 0; maximum: Maximum } {
  return { type: 'integer', value, summary, minimum: 0, maximum };
}
