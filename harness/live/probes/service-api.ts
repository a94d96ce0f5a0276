import { createHmac, randomBytes } from 'node:crypto';
import type { JsonObject } from '@endorse/interface';
import { createSasToken, parseServiceConnectionString, serviceResource } from '@endorse/protocol';
import { generateSoftwareTpmKeys } from '@endorse/testkit';
import type { ServiceUnderTest } from '../../support/service/service-under-test.ts';
import type { Facts } from '../facts.ts';
import { inStep } from '../facts.ts';
import type { Probe } from '../probe.ts';
import type { ProbeAnswer } from '../wire/http.ts';
import { describeAnswer, exchange } from '../wire/http.ts';
import { namesOf } from '../device.ts';

const apiVersion = '2021-10-01';

/** A request of an operator, without the path's `api-version`. */
interface OperatorRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: JsonObject;
  /** Signs the token; default the key of the connection string. */
  readonly key?: Uint8Array;
}

/** Sends it, with a token made from the connection string. */
async function operate(
  service: ServiceUnderTest,
  { method, path, headers, body, key }: OperatorRequest,
): Promise<ProbeAnswer> {
  const connection = parseServiceConnectionString(service.serviceConnectionString.revealText());
  const signingKey = key ?? connection.sharedAccessKey.reveal();
  const token = await createSasToken({
    resource: serviceResource(connection.hostName),
    expiresAt: Date.now() + 300_000,
    keyName: connection.sharedAccessKeyName,
    sign: async (data) => createHmac('sha256', signingKey).update(data).digest(),
  });
  return exchange(
    service,
    {
      method,
      target: `${path}?api-version=${apiVersion}`,
      authorization: token.revealText(),
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined ? {} : { body }),
    },
    `https://${connection.hostName}`,
  );
}

/** One enrollment and what is done to it. */
interface OperatorScene {
  readonly service: ServiceUnderTest;
  readonly registrationId: string;
  /** Path of the enrollment. */
  readonly path: string;
  /** A body that creates it. */
  readonly body: JsonObject;
  send(request: OperatorRequest): Promise<ProbeAnswer>;
  describe(answer: ProbeAnswer): Facts;
}

/** A probe of the service API on an enrollment that is removed in any case. */
function operatorProbe(
  name: string,
  assumes: string,
  observe: (scene: OperatorScene) => Promise<Facts>,
): Probe {
  return {
    name: `service API: ${name}`,
    assumes,
    observe: async (service) => {
      const registrationId = service.createRegistrationId();
      const key = (): string => randomBytes(64).toString('base64');
      const attestation = {
        type: 'symmetricKey',
        symmetricKey: { primaryKey: key(), secondaryKey: key() },
      };
      const names = namesOf(service, registrationId);
      try {
        return {
          facts: await observe({
            service,
            registrationId,
            path: `/enrollments/${registrationId}`,
            body: { registrationId, attestation },
            send: (request) => operate(service, request),
            describe: (answer) => describeAnswer(answer, names),
          }),
        };
      } finally {
        await service.unenroll(registrationId);
      }
    },
  };
}

/** The service API: life of an enrollment, conditions, and refusals. */
export const serviceApiProbes: readonly Probe[] = [
  operatorProbe(
    'life of an enrollment',
    'PUT and GET are 200, DELETE is 204; PUT answers with the keys, GET without them, attestationmechanism with them.',
    async ({ send, path, body, describe }) => ({
      ...inStep('create', describe(await send({ method: 'PUT', path, body }))),
      ...inStep('read', describe(await send({ method: 'GET', path }))),
      ...inStep('mechanism', describe(await send({ method: 'POST', path: `${path}/attestationmechanism` }))),
      ...inStep('delete', describe(await send({ method: 'DELETE', path }))),
    }),
  ),
  operatorProbe(
    'conditions',
    'Creating what exists is 409 with 409000; a stale If-Match is 412 with 412000; If-Match on what does not exist is 412.',
    async ({ send, path, body, describe }) => {
      const stale = { 'if-match': '"AAAAAAAAAAA="' };
      const missing = await send({ method: 'PUT', path, body, headers: stale });
      await send({ method: 'PUT', path, body });
      return {
        ...inStep('If-Match on nothing', describe(missing)),
        ...inStep('create again', describe(await send({ method: 'PUT', path, body }))),
        ...inStep('stale If-Match', describe(await send({ method: 'PUT', path, body, headers: stale }))),
        ...inStep(
          'If-Match: *',
          describe(await send({ method: 'PUT', path, body, headers: { 'if-match': '*' } })),
        ),
        ...inStep(
          'delete with a stale If-Match',
          describe(await send({ method: 'DELETE', path, headers: stale })),
        ),
      };
    },
  ),
  operatorProbe(
    'what is not there',
    'An enrollment is 404 with 404201, so is the registration of a device that has none, a group is 404 with 404204.',
    async ({ send, path, registrationId, describe }) => ({
      ...inStep('enrollment', describe(await send({ method: 'GET', path }))),
      ...inStep('delete it', describe(await send({ method: 'DELETE', path }))),
      ...inStep(
        'registration',
        describe(await send({ method: 'GET', path: `/registrations/${registrationId}` })),
      ),
      ...inStep(
        'group',
        describe(await send({ method: 'GET', path: `/enrollmentGroups/${registrationId}` })),
      ),
    }),
  ),
  operatorProbe(
    'registration of a device that never registered',
    '404 with 404202, though its enrollment is there.',
    async ({ send, path, body, registrationId, describe }) => {
      await send({ method: 'PUT', path, body });
      return describe(await send({ method: 'GET', path: `/registrations/${registrationId}` }));
    },
  ),
  operatorProbe('wrong key', '401 with 401002.', async ({ send, path, describe }) =>
    describe(await send({ method: 'GET', path, key: new Uint8Array(64) })),
  ),
  operatorProbe(
    'bodies that do not do',
    'An enrollment without attestation, with a key that is too short, with custom allocation and no web-hook, and an ' +
      'endorsement key that is none are 400 with 400004.',
    async ({ send, path, body, registrationId, describe }) => {
      const put = async (changes: JsonObject): Promise<Facts> =>
        describe(await send({ method: 'PUT', path, body: { ...body, ...changes } }));
      const key = Buffer.alloc(8).toString('base64');
      return {
        ...inStep('no attestation', describe(await send({ method: 'PUT', path, body: { registrationId } }))),
        ...inStep(
          'short key',
          await put({
            attestation: { type: 'symmetricKey', symmetricKey: { primaryKey: key, secondaryKey: key } },
          }),
        ),
        ...inStep('custom without a web-hook', await put({ allocationPolicy: 'custom' })),
        ...inStep(
          'endorsement key that is none',
          await put({ attestation: { type: 'tpm', tpm: { endorsementKey: 'AAAA' } } }),
        ),
        ...inStep('another id in the body', await put({ registrationId: `${registrationId}-x` })),
      };
    },
  ),
  operatorProbe(
    'an endorsement key twice',
    'Two enrollments may have the same endorsement key.',
    async ({ service, send, path, registrationId, describe }) => {
      const { endorsementKey } = await generateSoftwareTpmKeys();
      const tpm = { endorsementKey: Buffer.from(endorsementKey).toString('base64') };
      await service.createTpmEnrollment({ registrationId: service.createRegistrationId(), endorsementKey });
      const body = { registrationId, attestation: { type: 'tpm', tpm } };
      return describe(await send({ method: 'PUT', path, body }));
    },
  ),
  operatorProbe(
    'a registration id that ends with a hyphen',
    'It is taken, though the reference wants a letter or a digit at both ends.',
    async ({ service, send, path, body, registrationId }) => {
      const { status } = await send({
        method: 'PUT',
        path: `${path}-`,
        body: { ...body, registrationId: `${registrationId}-` },
      });
      await service.unenroll(`${registrationId}-`);
      return { status: String(status) };
    },
  ),
  operatorProbe(
    'queries',
    'A query that is none is 400 with 400004; one that asks for 100,000 items a page gets 1,000.',
    async ({ send, describe }) => {
      const query = async (text: string, pageSize: string): Promise<ProbeAnswer> =>
        send({
          method: 'POST',
          path: '/enrollments/query',
          headers: { 'x-ms-max-item-count': pageSize },
          body: { query: text },
        });
      const { status, headers } = await query('SELECT * FROM enrollments', '100000');
      return {
        ...inStep('wrong', describe(await query('SELECT FROM WHERE', '1'))),
        'page size of 100,000: status': String(status),
        'page size of 100,000: header x-ms-item-type': String(headers['x-ms-item-type']),
        'page size of 100,000: header x-ms-max-item-count': String(headers['x-ms-max-item-count']),
      };
    },
  ),
];
