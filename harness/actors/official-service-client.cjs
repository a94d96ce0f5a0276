'use strict';
/**
 * The official service SDK for Node.js, unmodified: every operation on enrollments, groups and registration records.
 *
 * Environment: ENDORSE_CONNECTION_STRING, ENDORSE_ENDORSEMENT_KEY (base64), ENDORSE_REGISTERED (a device that has
 * registered), ENDORSE_GROUP (a group with a registered device). Prints one JSON line a call: its name and result, or
 * the error it ended in.
 */
const { ProvisioningServiceClient } = require('azure-iot-provisioning-service');

const {
  ENDORSE_CONNECTION_STRING: connectionString,
  ENDORSE_ENDORSEMENT_KEY: endorsementKey,
  ENDORSE_REGISTERED: registered,
  ENDORSE_GROUP: group,
} = process.env;

const client = ProvisioningServiceClient.fromConnectionString(connectionString);

async function step(name, run) {
  try {
    const result = await run();
    const value = result?.responseBody ?? result;
    console.log(JSON.stringify({ step: name, value: value ?? null }));
    return value;
  } catch (error) {
    const statusCode = error.response?.statusCode;
    let body;
    try {
      body = JSON.parse(error.responseBody);
    } catch {
      body = undefined;
    }
    console.log(JSON.stringify({ step: name, error: error.name, statusCode, errorCode: body?.errorCode }));
    return undefined;
  }
}

/** Without a callback the bulk call of this SDK never settles. */
function bulk(operation) {
  return new Promise((resolve, reject) => {
    client.runBulkEnrollmentOperation(operation, (error, result) =>
      error ? reject(error) : resolve(result),
    );
  });
}

/** The query object forgets its continuation unless it is handed back. */
async function pages(query) {
  const all = [];
  while (query.hasMoreResults) {
    const { responseBody } = await query.next(query.continuationToken);
    all.push(responseBody);
  }
  return all;
}

const tpm = (registrationId) => ({ registrationId, attestation: { type: 'tpm', tpm: { endorsementKey } } });

async function individualEnrollments() {
  const created = await step('create', () =>
    client.createOrUpdateIndividualEnrollment({ ...tpm('sdk-1'), deviceId: 'sensor' }),
  );
  await step('create again', () => client.createOrUpdateIndividualEnrollment(tpm('sdk-1')));
  const updated = await step('update with etag', () =>
    client.createOrUpdateIndividualEnrollment({ ...created, provisioningStatus: 'disabled' }),
  );
  await step('update with a stale etag', () => client.createOrUpdateIndividualEnrollment(created));
  await step('get', () => client.getIndividualEnrollment('sdk-1'));
  await step('attestation mechanism', () => client.getIndividualEnrollmentAttestationMechanism('sdk-1'));
  await step('bulk create', () =>
    bulk({ mode: 'create', enrollments: [tpm('sdk-1'), tpm('sdk-2'), tpm('sdk-3')] }),
  );
  await step('query', () =>
    pages(
      client.createIndividualEnrollmentQuery(
        { query: "SELECT * FROM enrollments WHERE registrationId > 'sdk'" },
        2,
      ),
    ),
  );
  await step('query that is wrong', () =>
    client.createIndividualEnrollmentQuery({ query: 'SELECT * FROM nowhere' }).next(undefined),
  );
  await step('bulk delete', () => bulk({ mode: 'delete', enrollments: [tpm('sdk-2'), tpm('sdk-3')] }));
  await step('delete with a stale etag', () => client.deleteIndividualEnrollment('sdk-1', created.etag));
  await step('delete', () => client.deleteIndividualEnrollment(updated));
  await step('get what is gone', () => client.getIndividualEnrollment('sdk-1'));
}

async function enrollmentGroups() {
  const enrollmentGroup = {
    enrollmentGroupId: 'sdk-group',
    attestation: { type: 'symmetricKey', symmetricKey: {} },
  };
  const created = await step('create group', () => client.createOrUpdateEnrollmentGroup(enrollmentGroup));
  await step('update group', () =>
    client.createOrUpdateEnrollmentGroup({ ...created, provisioningStatus: 'disabled' }),
  );
  await step('get group', () => client.getEnrollmentGroup('sdk-group'));
  await step('group attestation mechanism', () => client.getEnrollmentGroupAttestationMechanism('sdk-group'));
  await step('query groups', () =>
    pages(client.createEnrollmentGroupQuery({ query: 'SELECT enrollmentGroupId FROM enrollmentGroups' }, 1)),
  );
  await step('delete group', () => client.deleteEnrollmentGroup('sdk-group'));
  await step('get group that is gone', () => client.getEnrollmentGroup('sdk-group'));
}

async function registrations() {
  await step('registration', () => client.getDeviceRegistrationState(registered));
  await step('registrations of a group', () =>
    pages(client.createEnrollmentGroupDeviceRegistrationStateQuery({ query: 'SELECT *' }, group, 10)),
  );
  await step('delete registration', () => client.deleteDeviceRegistrationState(registered));
  await step('registration that is gone', () => client.getDeviceRegistrationState(registered));
}

individualEnrollments()
  .then(enrollmentGroups)
  .then(registrations)
  .then(
    () => process.exit(0),
    (error) => {
      console.error(error);
      process.exit(1);
    },
  );
