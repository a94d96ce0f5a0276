import { formatHostPort, parseHostPort } from '@endorse/protocol';
import { ProvisioningError } from '../errors.ts';

/** The device endpoint of the public cloud. */
export const defaultGlobalEndpoint = 'https://global.azure-devices-provisioning.net';

/**
 * Reads the service endpoint as people paste it: a host name, with or without `https://` and a slash.
 * Throws `ERR_JOB`, also for the global device endpoint, which has no service API.
 */
export function readServiceEndpoint(text: string): string {
  const host = text
    .trim()
    .replace(/^https:\/\//i, '')
    .replace(/\/$/, '');
  if (/^global\.azure-devices-provisioning\./i.test(host)) {
    throw new ProvisioningError(
      'ERR_JOB',
      `service.endpoint is ${host}: that is where devices register, not where enrollments are made`,
      {
        remedy:
          'Give the "Service endpoint" of the overview page, like my-dps.azure-devices-provisioning.net.',
      },
    );
  }
  try {
    return formatHostPort(parseHostPort(host, { argument: 'service.endpoint' }), { defaultPort: 443 });
  } catch (cause) {
    throw new ProvisioningError('ERR_JOB', 'service.endpoint must be host, host:port or https://host', {
      cause,
    });
  }
}

/** Reads the device endpoint: `https://host[:port]`, the scheme may be left out. Throws `ERR_JOB`. */
export function readGlobalEndpoint(text: string): string {
  const host = text
    .trim()
    .replace(/^https:\/\//i, '')
    .replace(/\/$/, '');
  try {
    const parsed = parseHostPort(host, { argument: 'service.globalEndpoint' });
    return `https://${formatHostPort(parsed, { defaultPort: 443 })}`;
  } catch (cause) {
    throw new ProvisioningError('ERR_JOB', 'service.globalEndpoint must be https://host[:port]', { cause });
  }
}
