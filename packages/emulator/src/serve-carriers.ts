import { amqpSubProtocols, createAmqpHandler } from './amqp/amqp-endpoint.ts';
import type { EmulatorCore } from './core/core.ts';
import type { EmulatorServers } from './emulator-servers.ts';
import type { Clock } from '@endorse/interface';
import type { Stamps } from './listener/fault-answer.ts';
import { firstBytes } from './listener/first-bytes.ts';
import type { StreamHandler } from './listener/stream-handler.ts';
import { createHubHandler } from './listener/hub-handler.ts';
import { createServiceHandler } from './listener/service-handler.ts';
import { createHubMqttService } from './mqtt/hub-mqtt.ts';
import { createMqttHandler, mqttSubProtocols } from './mqtt/mqtt-endpoint.ts';
import { createProvisioningMqttService } from './mqtt/provisioning-mqtt.ts';

/**
 * Puts a core behind its listeners. The service and every hub take all their carriers on one port: WebSockets by their
 * sub-protocol, the rest by its first bytes. The service also has a port for each carrier, as the real one.
 */
export function serveCarriers(
  core: EmulatorCore,
  servers: EmulatorServers,
  stamps: Stamps & { readonly clock: Clock },
): void {
  const { sleep } = stamps.clock;
  const amqp = createAmqpHandler(async () => {
    const { createProvisioningAmqpService } = await import('./amqp/provisioning-amqp.ts');
    return (info, hold) => createProvisioningAmqpService({ core, stamps, sleep }, info, hold);
  });
  const mqtt = createMqttHandler(createProvisioningMqttService({ core, stamps, sleep }));
  servers.amqp.serve(amqp);
  servers.mqtt.serve(mqtt);
  servers.service.serve(createServiceHandler(core, stamps));
  servers.service.serveWebSockets([
    { protocols: amqpSubProtocols, accept: amqp },
    { protocols: mqttSubProtocols, accept: mqtt },
  ]);
  servers.service.serveStreams([
    { firstBytes: firstBytes.amqp, accept: amqp },
    { firstBytes: firstBytes.mqtt, accept: mqtt },
  ]);
  for (const [index, hub] of core.hubs.entries()) {
    const server = servers.hubs[index]?.server;
    const mqttFor = (carrier: 'mqtt' | 'mqtt-ws'): StreamHandler =>
      createMqttHandler(createHubMqttService(hub, carrier, core));
    const amqpFor = (carrier: 'amqp' | 'amqp-ws'): StreamHandler =>
      createAmqpHandler(async () => {
        const { createHubAmqpService } = await import('./amqp/hub-amqp.ts');
        return (info, hold) => createHubAmqpService({ core, hub, carrier }, info, hold);
      });
    server?.serve(createHubHandler(core, hub, stamps));
    server?.serveWebSockets([
      { protocols: amqpSubProtocols, accept: amqpFor('amqp-ws') },
      { protocols: mqttSubProtocols, accept: mqttFor('mqtt-ws') },
    ]);
    server?.serveStreams([
      { firstBytes: firstBytes.amqp, accept: amqpFor('amqp') },
      { firstBytes: firstBytes.mqtt, accept: mqttFor('mqtt') },
    ]);
  }
}
