/** The settings of a gateway that a provisioning run may change, as data. */

/** A service of the gateway's list. */
export interface GatewayService {
  /** For example `sshserver`, `opcuaserver`, `dhcpserver1`. */
  readonly id: string;
  /** False when this model or its licence does not have it. */
  readonly available: boolean;
  /** True when it is on. */
  readonly enabled: boolean;
}

/** What the settings are; undefined where this gateway has no such setting. */
export interface GatewaySettings {
  readonly hostName: string;
  /** True when the gateway answers discovery probes. */
  readonly discovery: boolean | undefined;
  readonly ssh: { readonly enabled: boolean; readonly port: number } | undefined;
  /** True when somebody can log in over the serial console. */
  readonly serialConsole: boolean | undefined;
  readonly https: { readonly enabled: boolean; readonly port: number } | undefined;
  /** Every service of the list; undefined when the gateway has no list. */
  readonly services: readonly GatewayService[] | undefined;
}

/** What the settings should be; what is left out stays as it is. */
export interface DesiredGatewaySettings {
  readonly hostName?: string | undefined;
  /** Whether the gateway answers discovery probes. */
  readonly discovery?: boolean | undefined;
  readonly ssh?: { readonly enabled?: boolean | undefined; readonly port?: number | undefined } | undefined;
  /** Whether somebody can log in over the serial console. */
  readonly serialConsole?: boolean | undefined;
  readonly https?: { readonly enabled?: boolean | undefined; readonly port?: number | undefined } | undefined;
  /** On or off, by id of the service. */
  readonly services?: Readonly<Record<string, boolean>> | undefined;
}

/** One thing to write. */
export type SettingWrite =
  | { readonly setting: 'host-name'; readonly value: string }
  | { readonly setting: 'discovery'; readonly value: boolean }
  | { readonly setting: 'ssh'; readonly value: { readonly enabled: boolean; readonly port: number } }
  | { readonly setting: 'serial-console'; readonly value: boolean }
  | { readonly setting: 'https-port'; readonly value: number }
  | { readonly setting: 'https'; readonly value: boolean }
  | { readonly setting: 'service'; readonly id: string; readonly value: boolean };

/** What a desired setting comes to on a gateway. */
export type SettingStep =
  | {
      readonly effect: 'change';
      /** `ssh`, or `service:opcuaserver`. */
      readonly name: string;
      /** Present value, as text. */
      readonly from: string;
      /** Desired value, as text. */
      readonly to: string;
      /** True when the gateway may not answer at the same address and port afterwards. */
      readonly cutsConnection: boolean;
      readonly write: SettingWrite;
    }
  | { readonly effect: 'unchanged'; readonly name: string; readonly from: string }
  | {
      readonly effect: 'not-applicable';
      readonly name: string;
      /** Why, in words. */
      readonly reason: string;
    };
