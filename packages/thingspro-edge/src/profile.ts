/** What differs between the families of gateways. Everything else is the same API. */

/** A family of gateways: AIG-301 and AIG-501 (and UC models with ThingsPro Edge), or AIG-302. */
export type GatewayFamily = 'aig-301' | 'aig-302';

/** How a family speaks the API. */
export interface GatewayProfile {
  readonly family: GatewayFamily;
  /** What switches the answers to discovery probes on and off. */
  readonly discoveryPath: '/system/discovery' | '/system/provision';
  /** True when sessions can be listed and ended; otherwise a token lives until it expires. */
  readonly hasSessions: boolean;
  /** True when `/system/services` exists. */
  readonly hasServices: boolean;
  /** Names of the fields that `GET /system/sshserver` answers with; what is written is always `enable` and `port`. */
  readonly sshFields: { readonly enabled: string; readonly port: string };
  /** How to change settings of the SSH server. */
  readonly sshMethod: 'PUT' | 'PATCH';
  /** How a certificate is handed over. */
  readonly certificateUpload: 'json' | 'form';
  /** False when the gateway refuses to turn HTTPS off. */
  readonly canDisableHttps: boolean;
}

/** The profiles by family. */
export const gatewayProfiles: Readonly<Record<GatewayFamily, GatewayProfile>> = Object.freeze({
  'aig-301': Object.freeze({
    family: 'aig-301',
    discoveryPath: '/system/discovery',
    hasSessions: false,
    hasServices: true,
    sshFields: Object.freeze({ enabled: 'sshEnable', port: 'sshPort' }),
    sshMethod: 'PUT',
    certificateUpload: 'json',
    canDisableHttps: true,
  } as const),
  'aig-302': Object.freeze({
    family: 'aig-302',
    discoveryPath: '/system/provision',
    hasSessions: true,
    hasServices: false,
    sshFields: Object.freeze({ enabled: 'enable', port: 'port' }),
    sshMethod: 'PATCH',
    certificateUpload: 'form',
    canDisableHttps: false,
  } as const),
});

/**
 * The family of a model, from the name that the gateway announces; undefined for a model this package does not know,
 * such as a switch that answers the same probe.
 */
export function familyOfModel(modelName: string): GatewayFamily | undefined {
  if (/^AIG-?302\b/i.test(modelName)) return 'aig-302';
  return /^(AIG-?[35]01\b|UC-[238]\d)/i.test(modelName) ? 'aig-301' : undefined;
}
