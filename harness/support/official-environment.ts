import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ActorOptions } from './run-actor.ts';
import { actorPath } from './run-actor.ts';
import type { ServiceAddress } from './service/service-under-test.ts';

/**
 * How a process of the official client reaches a service. It insists on the process-wide trust store, hence
 * NODE_EXTRA_CA_CERTS, and for what is HTTP on port 443, hence the preload where that is another one. `directory` is for
 * the file of the CA.
 */
export async function officialEnvironment(
  service: Pick<ServiceAddress, 'idScope' | 'caPem' | 'endpoints'>,
  endpoint: string,
  directory: string,
): Promise<Required<Pick<ActorOptions, 'nodeArguments' | 'environment'>>> {
  const caFile = join(directory, 'ca.pem');
  await writeFile(caFile, service.caPem);
  const url = new URL(endpoint);
  // It takes a port for what is not HTTP only.
  const host = url.protocol === 'https:' ? url.hostname : url.host;
  const { port } = new URL(service.endpoints.http);
  return {
    nodeArguments: port === '' ? [] : ['--require', actorPath('redirect-port.cjs')],
    environment: {
      NODE_EXTRA_CA_CERTS: caFile,
      ...(port === '' ? {} : { ENDORSE_REDIRECT_443: port }),
      ENDORSE_HOST: host,
      ENDORSE_ID_SCOPE: service.idScope,
    },
  };
}
