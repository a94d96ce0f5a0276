/** The requests of a device over HTTPS, by hand. */
import { setTimeout as pause } from 'node:timers/promises';
import type { JsonObject } from '@endorse/interface';
import type { ServiceUnderTest } from '../../support/service/service-under-test.ts';
import type { Facts } from '../facts.ts';
import { inStep } from '../facts.ts';
import { textMember } from '../probe.ts';
import type { ProbeAnswer } from '../wire/http.ts';
import { describeAnswer, exchange } from '../wire/http.ts';
import type { ProbeDevice } from '../device.ts';
import { deviceApiVersion } from '../device.ts';

/** `/{idScope}/registrations/{registrationId}` with something after it. */
export function deviceTarget({ idScope, registrationId }: ProbeDevice, rest: string): string {
  return `/${idScope}/registrations/${registrationId}${rest}?api-version=${deviceApiVersion}`;
}

/** Asks for registration. */
export function putRegister(
  service: ServiceUnderTest,
  device: ProbeDevice,
  authorization?: string,
  body: JsonObject = { registrationId: device.registrationId },
): Promise<ProbeAnswer> {
  return exchange(service, { method: 'PUT', target: deviceTarget(device, '/register'), authorization, body });
}

/** Asks how an operation is doing. */
export function getOperation(
  service: ServiceUnderTest,
  device: ProbeDevice,
  authorization: string,
  operationId: string,
): Promise<ProbeAnswer> {
  const target = deviceTarget(device, `/operations/${encodeURIComponent(operationId)}`);
  return exchange(service, { method: 'GET', target, authorization });
}

/** A registration that was asked for, to its end. */
export interface Followed {
  readonly facts: Facts;
  readonly figures: Readonly<Record<string, string>>;
  /** The last answer. */
  readonly last: ProbeAnswer;
}

const defaultPauseSeconds = 3;
const maxPauseSeconds = 10;
const maxPolls = 20;

/** Polls at once, while it has to be running still, and then as the service asks. */
export async function followRegistration(
  service: ServiceUnderTest,
  device: ProbeDevice,
  authorization: string,
  accepted: ProbeAnswer,
): Promise<Followed> {
  const startedAt = performance.now();
  const operationId = textMember(accepted.json, 'operationId');
  const poll = (): Promise<ProbeAnswer> => getOperation(service, device, authorization, operationId);
  const early = await poll();
  let last = early;
  let polls = 1;
  for (; last.json?.['status'] === 'assigning' && polls < maxPolls; polls += 1) {
    const asked = Number(last.headers['retry-after'] ?? defaultPauseSeconds);
    await pause(Math.min(asked, maxPauseSeconds) * 1000);
    last = await poll();
  }
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  return {
    facts: {
      ...inStep('accepted', describeAnswer(accepted, device.names)),
      ...inStep('first poll', describeAnswer(early, device.names)),
      ...inStep('end', describeAnswer(last, device.names)),
    },
    figures: { 'until assigned': `${seconds} s`, polls: String(polls) },
    last,
  };
}
