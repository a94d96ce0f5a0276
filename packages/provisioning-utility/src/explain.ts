/** What the codes mean that devices and runs end with, and what to do next. */

/** An explanation. */
export interface CodeExplanation {
  readonly code: string;
  /** What happened, in a sentence. */
  readonly means: string;
  /** What to do next, in a sentence or two. */
  readonly next: string;
}

const explanations: Readonly<Record<string, readonly [means: string, next: string]>> = {
  ERR_INVENTORY: [
    'The inventory cannot be used; nothing was sent.',
    'Correct the rows and columns that the message names.',
  ],
  ERR_JOB: ['The job cannot be used; nothing was sent.', 'Correct the place that the message names.'],
  ERR_PLAN_FILE: [
    'The plan is none, is of another version, or was edited.',
    'Make the plan again; a plan is carried out as it was made.',
  ],
  ERR_PASSWORDS_FILE: [
    'The passwords file cannot be used; no gateway was given a password that is not in it.',
    'Make it readable for you only, or repair the line that the message names.',
  ],
  ERR_PLAN_STALE: [
    'Something is neither as the plan saw it nor as it shall be: somebody else changed it.',
    'Find out who, make a new plan, and look at it.',
  ],
  ERR_SERIAL_DUPLICATE: [
    'Several devices claim one serial or registration id; none of them was touched.',
    'Look at the devices. Give each its real serial, or a registrationId of its own, in the inventory.',
  ],
  ERR_SERIAL_MISMATCH: [
    'Another device answers at the address: its API says another serial.',
    'Discover again. If it stays, somebody pretends to be one of your gateways.',
  ],
  ERR_KEY_DUPLICATE: [
    'Several devices have the same endorsement key; none of them was enrolled.',
    'Find out which is real: one device under two addresses, or a TPM that was cloned.',
  ],
  ERR_KEY_CHANGED: [
    'The device has another endorsement key than the one it was known by.',
    'Find out why its TPM is another one. If that is right, remove the old key from the inventory and plan again.',
  ],
  ERR_ENROLLMENT_CONFLICT: [
    'The registration id is enrolled for another key, or for another way to prove itself; it was not replaced.',
    'Find out whose enrollment it is. Delete it if it is an old one (endorse enrollment delete), then plan again.',
  ],
  ERR_DEVICE_INELIGIBLE: [
    'The inventory says that the device must not be provisioned.',
    'If it is one of yours, remove the reason from its row.',
  ],
  ERR_NO_CREDENTIALS: [
    'There is no password for the device; factory credentials are not tried on one that says it is claimed.',
    'Give its password, or put it into the passwords file.',
  ],
  ERR_KEY_UNUSABLE: [
    'The endorsement key is damaged, or is none: nothing could be wrapped for it.',
    'Look at the TPM of the gateway; nothing was enrolled.',
  ],
  ERR_REGISTRATION_ID: [
    'The registration id breaks a rule of the service or of the gateway.',
    'Give the device another registrationId in the inventory: lower-case letters, digits and dashes.',
  ],
  ERR_WRITE_NOT_KEPT: [
    'The gateway accepted a setting and shows something else.',
    'Look at the gateway and its log, then resume.',
  ],
  ERR_DOOR_OPEN: [
    'The gateway still answers discovery probes after discovery was switched off.',
    'Restart the gateway, then resume.',
  ],
  ERR_REGISTRATION_FAILED: [
    'The service refused the device when it registered.',
    'Read the code and text of the service in the message; check hub, allocation policy and quota.',
  ],
  ERR_JOURNAL_EXISTS: [
    'The journal is of a run that was begun.',
    'Go on with --resume, or name another journal.',
  ],
  ERR_JOURNAL_LOCKED: ['Another run is using the journal.', 'Wait until it ends, or stop it; then resume.'],
  ERR_JOURNAL_OTHER_PLAN: [
    'The journal belongs to another plan.',
    'Resume with that plan, or begin a new journal.',
  ],
  ERR_JOURNAL_CORRUPT: [
    'A line in the middle of the journal is damaged.',
    'Keep it for an inquiry and begin a new journal: apply finds out what is done already.',
  ],
  ERR_JOURNAL_WRITE: [
    'The journal cannot be written; nothing was changed anywhere without a line in it.',
    'Make room on the disk, then resume.',
  ],
  ERR_PIN_UNKNOWN: [
    'The certificate of the gateway is not pinned, and the trust is strict; no password was sent.',
    'Compare the fingerprint with the gateway, add it to the pins, and plan again.',
  ],
  ERR_PIN_MISMATCH: [
    'The gateway shows another certificate than the pinned or announced one; no password was sent.',
    'Find out why. Remove the old pin only if you know that the certificate was replaced.',
  ],
  ERR_GATEWAY_SIGN_IN_REFUSED: [
    'The gateway refused the password; it was tried once.',
    'Give the right one. Gateways count failures and lock the account.',
  ],
  ERR_GATEWAY_LOCKED: [
    'The account is locked after too many failures.',
    'Wait until the gateway lifts the lock (10 minutes by default), then resume.',
  ],
  ERR_GATEWAY_SESSION_LIMIT: [
    'Every session of the account is taken.',
    'End sessions on the gateway, or wait until they expire; then resume.',
  ],
  ERR_GATEWAY_FORBIDDEN: ['The account may not do this.', 'Sign in as an administrator.'],
  ERR_GATEWAY_NO_TPM: ['The gateway has no TPM.', 'Provision it with a symmetric key or a certificate.'],
  ERR_GATEWAY_NO_ENDORSEMENT_KEY: [
    'The gateway shows no endorsement key: it has no TPM, or is not ready.',
    'Check its TPM and that its software is 2.2.0 or newer; restart it, then resume.',
  ],
  ERR_GATEWAY_BUSY: ['The gateway stayed busy over all attempts.', 'Resume later.'],
  ERR_GATEWAY_REFUSED: [
    'The gateway refused a value.',
    'Read in the message what it says, correct it, plan again.',
  ],
  ERR_TRANSPORT_CONNECT: [
    'Nobody answers at the address and port.',
    'Check that the device is on and the inventory is of today; discover again.',
  ],
  ERR_TRANSPORT_LOST: ['The connection broke.', 'Check cable and device, then resume.'],
  ERR_TIMEOUT: ['A step or a device took longer than it may.', 'Look at the device, then resume.'],
  ERR_SERVICE_UNAUTHORIZED: [
    'The service refused the token.',
    'Check endpoint, policy name and key, the rights of the policy, and the clock of this machine.',
  ],
  ERR_SERVICE_THROTTLED: ['The service was asked too often.', 'Resume with a lower --calls-per-minute.'],
  ERR_DISCOVERY_NO_INTERFACE: [
    'There is no network interface to ask on.',
    'Connect to the network of the devices, or give their addresses with --target.',
  ],
};

/** Explains a code; undefined for one that is not known here. */
export function explainCode(code: string): CodeExplanation | undefined {
  const found = Object.hasOwn(explanations, code) ? explanations[code] : undefined;
  return found === undefined ? undefined : { code, means: found[0], next: found[1] };
}

/** Every explanation, by code. */
export function listExplanations(): readonly CodeExplanation[] {
  return Object.entries(explanations)
    .map(([code, [means, next]]) => ({ code, means, next }))
    .toSorted((a, b) => (a.code < b.code ? -1 : 1));
}
