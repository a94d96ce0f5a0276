import type { Probe } from '../probe.ts';
import { amqpProbes } from './amqp.ts';
import { httpRefusalProbes } from './http-refusals.ts';
import { httpRegistrationProbes } from './http-registration.ts';
import { httpTpmProbes } from './http-tpm.ts';
import { mqttProbes } from './mqtt.ts';
import { serviceApiProbes } from './service-api.ts';
import { tlsProbes } from './tls.ts';

/** Everything the emulator assumes of the service that can be seen from outside. */
export const probes: readonly Probe[] = [
  ...tlsProbes,
  ...httpTpmProbes,
  ...httpRegistrationProbes,
  ...httpRefusalProbes,
  ...amqpProbes,
  ...mqttProbes,
  ...serviceApiProbes,
];
