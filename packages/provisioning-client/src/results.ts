/**
 * What the client reports, in the names and the order of the requirements: the values are those a C compiler gives
 * the enumerations there.
 */

/** What a call returns and a registration ends with. `SUCCESS` is never used: success is `OK`. */
export const ProvDeviceResult: {
  readonly OK: 0;
  readonly INVALID_ARG: 1;
  readonly SUCCESS: 2;
  readonly MEMORY: 3;
  readonly PARSING: 4;
  readonly TRANSPORT: 5;
  readonly INVALID_STATE: 6;
  readonly DEV_AUTH_ERROR: 7;
  readonly TIMEOUT: 8;
  readonly KEY_ERROR: 9;
  readonly ERROR: 10;
} = Object.freeze({
  OK: 0,
  INVALID_ARG: 1,
  SUCCESS: 2,
  MEMORY: 3,
  PARSING: 4,
  TRANSPORT: 5,
  INVALID_STATE: 6,
  DEV_AUTH_ERROR: 7,
  TIMEOUT: 8,
  KEY_ERROR: 9,
  ERROR: 10,
});

/** A value of {@link ProvDeviceResult}. */
export type ProvDeviceResult = (typeof ProvDeviceResult)[keyof typeof ProvDeviceResult];

/** How far a registration has come. A run passes each at most once, in this order. */
export const ProvDeviceRegStatus: {
  readonly CONNECTED: 0;
  readonly REGISTERING: 1;
  readonly ASSIGNING: 2;
  readonly ASSIGNED: 3;
  readonly ERROR: 4;
} = Object.freeze({ CONNECTED: 0, REGISTERING: 1, ASSIGNING: 2, ASSIGNED: 3, ERROR: 4 });

/** A value of {@link ProvDeviceRegStatus}. */
export type ProvDeviceRegStatus = (typeof ProvDeviceRegStatus)[keyof typeof ProvDeviceRegStatus];

/** The name of a result, for logs: `PROV_DEVICE_RESULT_TIMEOUT`. */
export function nameOfResult(result: ProvDeviceResult): string {
  return `PROV_DEVICE_RESULT_${nameOf(ProvDeviceResult, result)}`;
}

/** The name of a status, for logs: `PROV_DEVICE_REG_STATUS_ASSIGNING`. */
export function nameOfStatus(status: ProvDeviceRegStatus): string {
  return `PROV_DEVICE_REG_STATUS_${nameOf(ProvDeviceRegStatus, status)}`;
}

function nameOf(values: Readonly<Record<string, number>>, value: number): string {
  return Object.keys(values).find((name) => values[name] === value) ?? String(value);
}
