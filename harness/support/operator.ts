import { createHmac } from 'node:crypto';
import type { Secret } from '@endorse/interface';
import {
  createSasToken,
  encodeIndividualEnrollment,
  encodeServiceTarget,
  parseServiceConnectionString,
  serviceResource,
} from '@endorse/protocol';
import type { IndividualEnrollment } from '@endorse/protocol';
import { Agent } from 'undici';
import { callRest } from './rest-call.ts';

const tokenLifetimeMs = 300_000;

/** Whom an enrollment is created with. */
export interface OperatorOptions {
  readonly serviceConnectionString: Secret;
  readonly caPem: string;
  readonly signal: AbortSignal;
}

/** Does what an operator does: creates an enrollment through the service API, with the owner policy's key. */
export async function createEnrollment(
  enrollment: IndividualEnrollment,
  options: OperatorOptions,
): Promise<void> {
  const connection = parseServiceConnectionString(options.serviceConnectionString.revealText());
  const key = connection.sharedAccessKey.reveal();
  const token = await createSasToken({
    resource: serviceResource(connection.hostName),
    expiresAt: Date.now() + tokenLifetimeMs,
    keyName: connection.sharedAccessKeyName,
    sign: async (data) => createHmac('sha256', key).update(data).digest(),
  });
  const dispatcher = new Agent({ connect: { ca: options.caPem } });
  try {
    const target = encodeServiceTarget({ kind: 'put-enrollment', registrationId: enrollment.registrationId });
    const { status, text } = await callRest({
      method: 'PUT',
      url: `https://${connection.hostName}${target}`,
      authorization: token.revealText(),
      contentType: 'application/json; charset=utf-8',
      body: encodeIndividualEnrollment(enrollment),
      dispatcher,
      signal: options.signal,
    });
    if (status !== 200) throw new Error(`the service did not create the enrollment: HTTP ${status} ${text}`);
  } finally {
    key.fill(0);
    await dispatcher.close();
  }
}
