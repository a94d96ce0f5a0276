/** What every gateway of a run shall become. A job holds no secret: it can be reviewed, versioned and mailed. */
import type { EnrollmentSettings } from '@endorse/protocol';

/** The provisioning service. */
export interface JobService {
  /** Service endpoint, `name.azure-devices-provisioning.net`, with a port unless it is 443. */
  readonly endpoint: string;
  /** Name of the shared access policy: its rights are enrollment read and write, and registration status read. */
  readonly policyName: string;
}

/** Settings of the enrollments that are made. */
export type JobEnrollment = Pick<
  EnrollmentSettings,
  | 'capabilities'
  | 'initialTwin'
  | 'allocationPolicy'
  | 'iotHubHostName'
  | 'iotHubs'
  | 'provisioningStatus'
  | 'reprovisionPolicy'
>;

/** What the gateway is told about the service. */
export interface JobWriteBack {
  /** ID scope of the service, as its overview page shows it. */
  readonly idScope: string;
  /** Device endpoint; default the global one. */
  readonly globalEndpoint: string;
}

/** Further settings of the gateway; what is left out stays as it is. */
export interface JobConfigure {
  /** Sets the gateway's clock to this machine's when they differ by more than a minute. */
  readonly time: boolean;
  /** Whether somebody can log in by SSH afterwards. */
  readonly ssh?: boolean;
  /** Whether somebody can log in over the serial console afterwards. */
  readonly serialConsole?: boolean;
  /** Whether the gateway answers discovery probes afterwards. */
  readonly discovery?: boolean;
  /** On or off by id of the service, as the gateway lists them. */
  readonly services?: Readonly<Record<string, boolean>>;
  /** Moves the API to another port: the last step. */
  readonly httpsPort?: number;
  /** Gives every gateway a password of its own, which the passwords file keeps. */
  readonly rotatePassword: boolean;
  /** Lets services be turned off that the gateway is managed by. Dangerous. */
  readonly allowLockout: boolean;
}

/** How to look whether a gateway has registered. */
export interface JobVerify {
  /** How long to wait for `assigned`, in milliseconds; 0 does not look. */
  readonly timeoutMs: number;
  /** Pause between looks, in milliseconds. */
  readonly pauseMs: number;
}

/** What a run shall do to every gateway. */
export interface ProvisioningJob {
  readonly service: JobService;
  readonly enrollment: JobEnrollment;
  /** Absent: gateways are enrolled and not told where to register. */
  readonly writeBack?: JobWriteBack;
  readonly configure: JobConfigure;
  readonly verify: JobVerify;
}
