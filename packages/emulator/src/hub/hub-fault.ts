/** Why a hub refuses a request. */
export interface HubFault {
  /** HTTP status. */
  readonly status: number;
  /** The word of the hub's error, for example `IotHubUnauthorizedAccess`. */
  readonly code: string;
  /** The number of the hub's error, for example 401003. */
  readonly errorCode: number;
  /** Why, for the developer who runs the emulator. Never a secret. */
  readonly reason: string;
}

/** A refusal as the outcome of an operation. */
export interface HubRefusal {
  readonly outcome: 'refused';
  readonly fault: HubFault;
}

/** Makes the refusals of a hub, one function a number. */
export const hubRefusals = {
  /** 400004: a value is unusable. */
  invalidArgument: (reason: string): HubRefusal => refuse('ArgumentInvalid', 400_004, reason),
  /** 401003: no credential, or one that is not good for this device. */
  unauthorized: (reason: string): HubRefusal => refuse('IotHubUnauthorizedAccess', 401_003, reason),
  /** 404001: the hub has no such device. */
  deviceNotFound: (deviceId: string): HubRefusal =>
    refuse('DeviceNotFound', 404_001, `there is no device ${deviceId} on this hub`),
  /** 404103: the device is not connected, or does not take methods. */
  deviceNotOnline: (reason: string): HubRefusal => refuse('DeviceNotOnline', 404_103, reason),
  /** 413001: larger than the hub keeps. */
  tooLarge: (reason: string): HubRefusal => refuse('MessageTooLarge', 413_001, reason),
  /** 504101: the device took the method and did not answer in time. */
  methodTimeout: (reason: string): HubRefusal => refuse('GatewayTimeout', 504_101, reason),
} as const;

function refuse(code: string, errorCode: number, reason: string): HubRefusal {
  return { outcome: 'refused', fault: { status: Math.floor(errorCode / 1000), code, errorCode, reason } };
}
