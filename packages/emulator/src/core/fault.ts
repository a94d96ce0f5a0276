/** An error answer of the service, before a carrier gives it a tracking id and a shape. */
export interface ServiceFault {
  /** HTTP status; carriers without one derive theirs from it. */
  readonly status: number;
  /** The service's number, `status` × 1000 plus a detail. */
  readonly errorCode: number;
  /** The service's text where it is known, else ours. */
  readonly message: string;
  /** What the real service keeps to itself: why, for the developer who runs the emulator. Never a secret. */
  readonly reason?: string;
  /** Pause to ask for, in seconds. */
  readonly retryAfterSeconds?: number;
}

/** Makes the faults of the service, one function a number. */
export const faults = {
  /** 400000: the request itself cannot be read: target, query, framing. */
  malformedRequest: (reason: string): ServiceFault => fault(400_000, 'Bad request.', reason),
  /** 400004: a value in the request is unusable. */
  invalidArgument: (message: string, reason?: string): ServiceFault => fault(400_004, message, reason),
  /** 400004, in the words every TPM user of the service has met. */
  endorsementKey: (reason: string): ServiceFault =>
    fault(400_004, 'Endorsement key is invalid, or does not match the Enrollment.', reason),
  /** 400004, for the other key of a TPM. */
  storageRootKey: (reason: string): ServiceFault => fault(400_004, 'Storage root key is invalid.', reason),
  /** 401002: no token, or one that is not good for this. */
  unauthorized: (reason: string): ServiceFault => fault(401_002, 'Unauthorized', reason),
  /** 401002, for a client certificate that is not good for this. */
  invalidCertificate: (reason: string): ServiceFault => fault(401_002, 'Invalid certificate.', reason),
  /** 401002: no enrolled certificate signed the device's. */
  caNotFound: (reason: string): ServiceFault => fault(401_002, 'CA certificate not found', reason),
  /**
   * 403101: as many are there as a quota allows. An assumption: the service documents the limits but not what it answers
   * at them. 403 and not 429, because waiting makes no room.
   */
  quotaExceeded: (reason: string): ServiceFault => fault(403_101, 'Quota exceeded', reason),
  /** 404000: no such resource. */
  notFound: (reason: string): ServiceFault => fault(404_000, 'Not found', reason),
  /** 404201: no such enrollment. */
  enrollmentNotFound: (registrationId: string): ServiceFault =>
    fault(404_201, 'Enrollment not found', `there is no enrollment ${registrationId}`),
  /** 404204: no such enrollment group. */
  enrollmentGroupNotFound: (enrollmentGroupId: string): ServiceFault =>
    fault(404_204, 'Enrollment group not found', `there is no enrollment group ${enrollmentGroupId}`),
  /** 404202: the enrollment is there, its registration or operation is not. */
  registrationNotFound: (reason: string): ServiceFault => fault(404_202, 'Registration not found', reason),
  /** 405000: the path is known, the method is not. */
  methodNotAllowed: (reason: string): ServiceFault => fault(405_000, 'Method not allowed', reason),
  /** 408000: the request came too slowly. */
  tooSlow: (reason: string): ServiceFault => fault(408_000, 'Request timeout', reason),
  /** 409000: the enrollment exists and no `If-Match` said that it may be replaced. */
  conflict: (reason: string): ServiceFault => fault(409_000, 'Conflict', reason),
  /** 412000: `If-Match` names another version. */
  preconditionFailed: (reason: string): ServiceFault => fault(412_000, 'Precondition failed.', reason),
  /** 413000: larger than the service accepts. */
  tooLarge: (reason: string): ServiceFault => fault(413_000, 'Request entity too large', reason),
  /** 415000: a body that is no JSON in UTF-8. */
  unsupportedMediaType: (reason: string): ServiceFault => fault(415_000, 'Unsupported media type', reason),
  /** 429000: more requests than a quota allows; `retryAfterSeconds` says when the next one is welcome. */
  throttled: (reason: string, retryAfterSeconds: number): ServiceFault => ({
    ...fault(429_000, 'Too many requests', reason),
    retryAfterSeconds,
  }),
  /** 431000: too many or too large headers. */
  headersTooLarge: (reason: string): ServiceFault =>
    fault(431_000, 'Request header fields too large', reason),
  /** 500000: a part that was handed in from outside, such as a store, has thrown. */
  internal: (reason: string): ServiceFault => fault(500_000, 'Internal server error', reason),
  /** 503000: not ready yet. */
  startingUp: (): ServiceFault => ({ ...fault(503_000, 'The emulator is starting.'), retryAfterSeconds: 1 }),
} as const;

function fault(errorCode: number, message: string, reason?: string): ServiceFault {
  return {
    status: Math.floor(errorCode / 1000),
    errorCode,
    message,
    ...(reason === undefined ? {} : { reason }),
  };
}
