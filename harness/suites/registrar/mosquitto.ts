import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { tmpdir } from 'node:os';
import type { MqttClient } from 'mqtt';
import { connectAsync } from 'mqtt';
import { freePort } from './free-port.ts';

/** A Mosquitto with its dynamic security plugin, on loopback. */
export interface Mosquitto extends AsyncDisposable {
  readonly url: string;
  /** A connection of the plugin's administrator; closed with the broker. */
  readonly administrator: MqttClient;
}

/** How long it may take to start, in milliseconds, on a machine that is busy. */
const startTimeoutMs = 30_000;

/** Starts the broker of the distribution: nobody is let in but who the plugin knows, and nothing is allowed by default. */
export async function startMosquitto(): Promise<Mosquitto> {
  const directory = mkdtempSync(join(tmpdir(), 'endorse-mosquitto-'));
  const password = randomBytes(16).toString('hex');
  const security = join(directory, 'dynamic-security.json');
  const made = spawnSync(program('mosquitto_ctrl'), ['dynsec', 'init', security, 'administrator', password], {
    encoding: 'utf8',
    timeout: startTimeoutMs,
  });
  if (made.status !== 0) throw new Error(`mosquitto_ctrl failed: ${made.error?.message ?? made.stderr}`);
  const [plugin] = globSync('/usr/lib/**/mosquitto_dynamic_security.so');
  if (plugin === undefined) throw new Error('the dynamic security plugin of Mosquitto is not installed');
  const port = await freePort();
  const configuration = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous false',
    // Started as root it becomes another user, which could not read the directory.
    ...(process.getuid?.() === 0 ? ['user root'] : []),
    `plugin ${plugin}`,
    `plugin_opt_config_file ${security}`,
  ];
  writeFileSync(join(directory, 'mosquitto.conf'), `${configuration.join('\n')}\n`);
  const broker = spawn(program('mosquitto'), ['-v', '-c', join(directory, 'mosquitto.conf')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(broker, 'close');
  let log = '';
  await new Promise<void>((resolve, reject) => {
    const tooLate = setTimeout(() => reject(new Error(`Mosquitto did not start:\n${log}`)), startTimeoutMs);
    broker.stderr.setEncoding('utf8').on('data', (text: string) => {
      log = (log + text).slice(-10_000);
      if (!/mosquitto version \S+ running/.test(log)) return;
      clearTimeout(tooLate);
      resolve();
    });
    broker.once('exit', () => {
      clearTimeout(tooLate);
      reject(new Error(`Mosquitto ended:\n${log}`));
    });
  });
  const url = `mqtt://127.0.0.1:${port}`;
  const administrator = await connectAsync(url, { username: 'administrator', password, reconnectPeriod: 0 });
  return {
    url,
    administrator,
    async [Symbol.asyncDispose]() {
      await administrator.endAsync(true);
      broker.kill('SIGKILL');
      await ended;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function program(name: string): string {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  const found = folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
  if (found === undefined) throw new Error(`${name} is not installed`);
  return found;
}
