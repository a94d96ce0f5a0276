/** Whatever a client sends, a connection ends cleanly or goes on, and the next client is served. Bytes of a good session, damaged, and of none. */
import type { Packet } from 'mqtt-packet';
import { generate } from 'mqtt-packet';
import { Secret } from '@endorse/interface';
import { mutatedSession } from '@endorse/fuzzing';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createHubMqttService } from '../src/mqtt/hub-mqtt.ts';
import type { MqttService } from '../src/mqtt/mqtt-service.ts';
import { createProvisioningMqttService } from '../src/mqtt/provisioning-mqtt.ts';
import { coreFixture, seededRandom } from './support/core-fixture.ts';
import { connectPacket, linkMqtt } from './support/mqtt-client.ts';
import { deviceToken, sas } from './support/software-tpm.ts';

const key = Buffer.alloc(64, 1);
const deviceId = 'key-device';

/** Both services on one core, with a good session of each: what a client sends, packet by packet. */
async function services(): Promise<
  readonly { readonly service: MqttService; readonly session: readonly Buffer[] }[]
> {
  const { core, clock } = coreFixture({ hubs: [{ name: 'hub', hostName: 'localhost:8443' }] });
  const [primaryKey, secondaryKey] = [Secret.fromBytes(key), Secret.fromBytes(Buffer.alloc(64, 2))];
  core.createSymmetricKeyEnrollment({ registrationId: deviceId, primaryKey, secondaryKey });
  const [hub] = core.hubs;
  if (hub === undefined) throw new Error('no hub');
  hub.writeDevice({ deviceId, keys: [key] });
  const { idScope } = core;
  const expiresAt = clock.now() + 3_600_000;
  const stamps = { clock, random: seededRandom('mqtt') };
  const sleep: typeof clock.sleep = (delayMs, signal) => clock.sleep(delayMs, signal);
  const publish = (topic: string, payload: string): Packet => ({
    cmd: 'publish',
    topic,
    payload,
    qos: 1,
    messageId: 2,
    dup: false,
    retain: false,
  });
  const subscribe = (...topics: readonly string[]): Packet => ({
    cmd: 'subscribe',
    messageId: 1,
    subscriptions: topics.map((topic) => ({ topic, qos: 1 })),
  });
  const end: readonly Packet[] = [
    { cmd: 'pingreq' },
    { cmd: 'unsubscribe', messageId: 3, unsubscriptions: ['$iothub/methods/POST/#'] },
    { cmd: 'disconnect' },
  ];
  const provisioning = [
    connectPacket(
      deviceId,
      `${idScope}/registrations/${deviceId}/api-version=2019-03-31`,
      await deviceToken({ idScope, registrationId: deviceId, key, expiresAt }),
    ),
    subscribe('$dps/registrations/res/#'),
    publish('$dps/registrations/PUT/iotdps-register/?$rid=1', `{"registrationId":"${deviceId}"}`),
    publish('$dps/registrations/GET/iotdps-get-operationstatus/?$rid=2&operationId=5.op', ' '),
    ...end,
  ];
  const device = [
    connectPacket(
      deviceId,
      `localhost:8443/${deviceId}/?api-version=2021-04-12`,
      await sas({ resource: `localhost:8443/devices/${deviceId}`, key, expiresAt }),
    ),
    subscribe('$iothub/twin/res/#', '$iothub/methods/POST/#', '$iothub/twin/PATCH/properties/desired/#'),
    publish(`devices/${deviceId}/messages/events/a=b`, '{"t":21}'),
    publish('$iothub/twin/GET/?$rid=1', ''),
    publish('$iothub/twin/PATCH/properties/reported/?$rid=2', '{"a":{"b":[1,2]}}'),
    publish('$iothub/methods/res/200/?$rid=1', '{"done":true}'),
    ...end,
  ];
  return [
    {
      service: createProvisioningMqttService({ core, stamps, sleep }),
      session: provisioning.map((packet) => generate(packet)),
    },
    { service: createHubMqttService(hub, 'mqtt', core), session: device.map((packet) => generate(packet)) },
  ];
}

test('a damaged session ends or goes on, and never takes the service along', async () => {
  const parts = await services();
  const sessions = mutatedSession(parts.map(({ session }) => session));
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...parts),
      sessions,
      fc.integer({ min: 1, max: 200 }),
      async ({ service, session }, pieces, chunkBytes) => {
        const client = linkMqtt(service);
        const bytes = Buffer.concat(pieces);
        for (let at = 0; at < bytes.length; at += chunkBytes)
          client.send(bytes.subarray(at, at + chunkBytes));
        client.stream.end();
        for (let packet = await client.next(); packet !== 'closed';) packet = await client.next();

        const next = linkMqtt(service);
        next.send(session[0] ?? Buffer.alloc(0));
        expect(await next.next()).toMatchObject({ cmd: 'connack', returnCode: 0 });
        next.stream.destroy();
      },
    ),
    { numRuns: 150 },
  );
});
