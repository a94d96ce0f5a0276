/** Nothing that takes what a peer sends is left out: every exported function is fuzzed or says why not, and so is every listener. */
import { startEmulator } from '@endorse/emulator';
import { describe, expect, test } from 'vitest';
import { discoveryDecoders } from '../../support/fuzz/discovery-decoders.ts';
import { discoveryListeners } from '../../support/fuzz/discovery-listeners.ts';
import {
  emulatorListeners,
  openConnection,
  subProtocols,
  urlOf,
} from '../../support/fuzz/emulator-listeners.ts';
import type { ListenerProtocol } from '../../support/fuzz/emulator-listeners.ts';
import { exportedFunctions } from '../../support/fuzz/exports.ts';
import { converse } from '../../support/fuzz/listener.ts';
import { notDecoders } from '../../support/fuzz/not-decoders.ts';
import { protocolDecoders } from '../../support/fuzz/protocol-decoders.ts';
import { registrarListeners } from '../../support/fuzz/registrar-listeners.ts';
import { tokenDecoders } from '../../support/fuzz/token-decoders.ts';
import { tpm2Decoders } from '../../support/fuzz/tpm2-decoders.ts';
import { overWebSocket } from '../../support/fuzz/web-socket.ts';

const anything = [new Uint8Array(1)];
const fuzzed = new Set([
  ...protocolDecoders({ amqp: anything, mqtt: anything }).map(({ covers }) => covers),
  ...tpm2Decoders([{ command: 'GetRandom', sessions: 0, response: new Uint8Array(1) }]).map(
    ({ covers }) => covers,
  ),
  ...[...discoveryDecoders, ...tokenDecoders].map(({ covers }) => covers),
  ...[...discoveryListeners, ...registrarListeners].flatMap(({ covers }) => covers),
]);
const packages = ['protocol', 'tpm2', 'discovery', 'dynamic-registration'];
const exported = new Set((await Promise.all(packages.map(exportedFunctions))).flatMap((names) => [...names]));
const isNoDecoder = (name: string): boolean => notDecoders.some(({ names }) => names.test(name));

describe('decoders', () => {
  test('every exported function is a target or in the list of those that decode nothing', () => {
    expect([...exported].filter((name) => !fuzzed.has(name) && !isNoDecoder(name))).toEqual([]);
  });

  test('none is both, and none is of a function that is gone', () => {
    expect([...exported].filter((name) => fuzzed.has(name) && isNoDecoder(name))).toEqual([]);
    expect([...fuzzed].filter((name) => !exported.has(name))).toEqual([]);
    const listed = notDecoders.flatMap(
      ({ names }) => /^\^([\w-]+) \(\?:([\w|]+)\)\$$/.exec(names.source)?.slice(1, 3).join(' ') ?? [],
    );
    const named = listed.flatMap((row) => {
      const [packageName, names = ''] = row.split(' ');
      return names.split('|').map((name) => `${packageName} ${name}`);
    });
    expect(named.filter((name) => !exported.has(name))).toEqual([]);
  });
});

describe('listeners of the emulator', () => {
  /** What a TLS port for HTTP takes besides, by its first bytes and as WebSockets. */
  const overHttps: readonly ListenerProtocol[] = ['http', 'amqp', 'mqtt', 'amqp-ws', 'mqtt-ws'];
  const bySchemes: Readonly<Record<string, readonly ListenerProtocol[]>> = {
    'https:': overHttps,
    'amqps:': ['amqp'],
    'mqtts:': ['mqtt'],
    'http:': ['http'],
  };

  test('every port has a target for every protocol that it takes', async () => {
    await using emulator = await startEmulator({ adminPort: 0 });
    const endpoints = [
      ...(Object.keys(emulator.endpoints) as (keyof typeof emulator.endpoints)[]),
      'admin',
    ] as const;
    const hasTarget = (url: string, protocol: ListenerProtocol): boolean =>
      emulatorListeners.some((each) => each.protocol === protocol && urlOf(emulator, each.endpoint) === url);
    const missing = endpoints.flatMap((endpoint) => {
      const url = urlOf(emulator, endpoint);
      const protocols = bySchemes[new URL(url).protocol];
      if (protocols === undefined) return [`${endpoint}: an unheard-of scheme, ${url}`];
      return protocols
        .filter((protocol) => !hasTarget(url, protocol))
        .map((protocol) => `${endpoint}: ${protocol}`);
    });
    expect(missing).toEqual([]);
  });

  test.each(['http', 'hub'] as const)('every WebSocket sub-protocol of %s has a target', async (endpoint) => {
    await using emulator = await startEmulator();
    // The refusal of a sub-protocol that does not exist names those that do.
    const session = overWebSocket('none-of-these', []);
    const answer = await converse(
      await openConnection(emulator.endpoints[endpoint], emulator.caPem),
      session,
    );
    const served = /served ([\w, .-]+)/.exec(answer)?.[1]?.split(', ') ?? [];
    const known: readonly string[] = Object.values(subProtocols)
      .flat()
      .map((name) => name.toLowerCase());
    expect(served.length).toBeGreaterThan(0);
    expect(
      [...new Set(served.map((name) => name.toLowerCase()))].filter((name) => !known.includes(name)),
    ).toEqual([]);
  });
});
