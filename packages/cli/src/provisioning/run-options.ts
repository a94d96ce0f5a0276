/** Options of both plan and apply: the service, the gateways, and the secrets that let a run in at both. */
import { factoryPasswordOptions, gatewayOptions, passwordOptions } from './gateway-access.ts';
import type { SecretOptions } from './secret-source.ts';
import {
  connectionStringOptions,
  connectionStringVariable,
  policyKeyOptions,
  serviceConnectionOptions,
} from './service-connection.ts';

/** The options. */
export const runOptions: SecretOptions<'connection-string' | 'policy-key' | 'password' | 'factory-password'> &
  typeof serviceConnectionOptions &
  typeof gatewayOptions = {
  ...connectionStringOptions,
  ...policyKeyOptions,
  ...serviceConnectionOptions,
  ...passwordOptions,
  ...factoryPasswordOptions,
  ...gatewayOptions,
};

/** The variables. */
export const runEnvironment: Readonly<Record<string, string>> = {
  [connectionStringVariable]: 'connection string of the service API, unless an option says where it is',
};
