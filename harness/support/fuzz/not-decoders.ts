/** Exported functions that decode nothing, by the reason. Whoever exports one that is in no row and no target is asked to decide. */

/** Functions that one reason is good for. */
export interface NotDecoders {
  readonly reason: string;
  /** Matches names such as `protocol encodeQuery`. */
  readonly names: RegExp;
}

const only = (packageName: string, names: string): RegExp =>
  new RegExp(`^${packageName} (?:${names.trim().split(/\s+/).join('|')})$`);

/** The rows. A name in one that nobody exports any more is a finding, too. */
export const notDecoders: readonly NotDecoders[] = [
  { reason: 'writes what is sent', names: /^[\w-]+ (?:\w+\.)*encode\w+$/ },
  { reason: 'checks what our own caller gives', names: /^protocol validate\w+$/ },
  { reason: 'an error class', names: /^[\w-]+ [A-Z]\w+Error$/ },
  {
    reason: 'writes what is sent',
    names: only(
      'protocol',
      `conditionOfStatus checkSaslInitialResponse checkSaslResponse retryAfterProperties registrationStateToJson
      enrollmentGroupToJson individualEnrollmentToJson formatHostPort formatRetryAfter formatTimestamp formatSasToken
      formatServiceConnectionString percentEncode hubDeviceResource registrationResource serviceResource
      joinActivationBlob joinCredentialNonceBlob sasStringToSign`,
    ),
  },
  {
    reason: 'makes ids, keys and tokens of our own',
    names: only(
      'protocol',
      'createGuid createOperationId createEtag createSasToken deriveGroupDeviceKey deriveRegistrationId',
    ),
  },
  { reason: 'takes a number that was decoded', names: only('protocol', 'capRetryAfter serviceErrorRemedy') },
  {
    reason: 'works on values that were decoded',
    names: only(
      'tpm2',
      `digestSize commandName createActivation makeCredential duplicateHmacKey duplicateObject encapsulateSecret
      computeNvName handleKind handleName formatResponseCode listResponseCodes describeObjectAttributes
      diagnoseEkTemplate templateDeviations`,
    ),
  },
  {
    reason: 'arithmetic of sessions and keys on values of our own',
    names: only(
      'tpm2',
      `kdfa kdfe encryptFirstParameter encryptParameter policyCommandCodeDigest policySecretDigest computeCommandHmac
      computeResponseHmac cpHash rpHash deriveSessionKey passwordAuthorization`,
    ),
  },
  {
    reason: 'works on announcements that were decoded',
    names: only(
      'discovery',
      'deviceKey isSameDevice usableMac matchesFilter directedBroadcast formatUrlHost',
    ),
  },
  { reason: 'asks the system', names: only('discovery', 'bindSystemSocket systemNetwork') },
  {
    reason: 'a loop around `discover`, which is a target',
    names: only('discovery', 'collectDevices'),
  },
  {
    reason: 'makes and checks keys and tokens of our own',
    names: only(
      'dynamic-registration',
      `mintToken publicJwks checkKeySet createAsymmetricTokenKey createSecretTokenKey referenceOfTokenId
      issueServerCertificate createMetrics`,
    ),
  },
  {
    reason: 'opens a database of our own; what peers say reaches it through the handler and the broker',
    names: only('dynamic-registration', 'openPostgresql openSqlite openStore watchRevocations'),
  },
];
