import type { Clock } from '@endorse/interface';
import { InvalidArgumentError, TimeoutError } from '@endorse/interface';
import { GatewayError } from '../errors.ts';
import { integer } from '../options.ts';
import type { JsonObject } from '../read-json.ts';
import { readObject, readOptionalObject, readOptionalText } from '../read-json.ts';
import type { GatewayCallOptions, GatewayCaller } from './call.ts';

/** The IoT Edge part of a gateway: how it is provisioned and whether it runs. */
export interface EdgeConfiguration {
  readonly runtime: {
    readonly version: string | undefined;
    /** `resetting`, `running`, `dead`, `exited` or `waiting`; undefined before it ever ran. */
    readonly status: string | undefined;
  };
  readonly provisioning: {
    /** True once the gateway was told to connect. */
    readonly enabled: boolean;
    /** `manual` or `dps`. */
    readonly source: string | undefined;
    /** `tpm`, `symmetricKey` or `x509`. */
    readonly method: string | undefined;
    readonly globalEndpoint: string | undefined;
    readonly scopeId: string | undefined;
    readonly registrationId: string | undefined;
    /** Base64 of the TPM2B_PUBLIC of the endorsement key; undefined without a TPM, or before it is looked at. */
    readonly endorsementKey: string | undefined;
  };
}

/** What a gateway has to know to register by its TPM. */
export interface DpsProvisioning {
  /** ID scope of the provisioning service, 1 to 128 characters. */
  readonly scopeId: string;
  /** 1 to 128 lower-case letters, digits and dashes: less than the service allows. */
  readonly registrationId: string;
  /** Where the provisioning service is: `https://host[:port]`. */
  readonly globalEndpoint: string;
}

/** Options of {@link EdgeCalls.readEndorsementKey}. */
export interface EndorsementKeyOptions extends GatewayCallOptions {
  /**
   * Lets the call select DPS with TPM when the key is not shown, because some gateways look at their TPM only then.
   * With whole DPS settings it writes those where a gateway wants everything at once; it does not connect for that.
   * Default false: nothing is written.
   */
  readonly prepare?: boolean | DpsProvisioning | undefined;
}

/** Options of {@link EdgeCalls.waitForEdgeRuntime}. */
export interface EdgeRuntimeOptions extends GatewayCallOptions {
  /** Statuses to wait for; default `running`. */
  readonly statuses?: readonly string[] | undefined;
  /** How long to wait, in milliseconds; 1 to 3,600,000, default 300,000. */
  readonly timeoutMs?: number | undefined;
  /** Pause between looks, in milliseconds; 1 to 600,000, default 2,000. */
  readonly pauseMs?: number | undefined;
}

/** How a gateway gets to its hub. */
export interface EdgeCalls {
  /** Reads the whole configuration. */
  getEdgeConfiguration(options?: GatewayCallOptions): Promise<EdgeConfiguration>;
  /**
   * Reads the endorsement key, base64 of its TPM2B_PUBLIC, as the gateway shows it. Rejects with
   * `ERR_GATEWAY_NO_TPM` or `ERR_GATEWAY_NO_ENDORSEMENT_KEY` when there is none.
   */
  readEndorsementKey(options?: EndorsementKeyOptions): Promise<string>;
  /** Tells the gateway to register by its TPM, and where. It does not connect before {@link EdgeCalls.setProvisioningEnabled}. */
  writeProvisioning(provisioning: DpsProvisioning, options?: GatewayCallOptions): Promise<void>;
  /** Lets the gateway connect, or stops it. */
  setProvisioningEnabled(enabled: boolean, options?: GatewayCallOptions): Promise<void>;
  /** Restarts the IoT Edge runtime. */
  restartEdge(options?: GatewayCallOptions): Promise<void>;
  /** Resets the IoT Edge runtime, so that it registers anew; takes minutes, and {@link EdgeCalls.waitForEdgeRuntime} waits. */
  resetEdge(options?: GatewayCallOptions): Promise<void>;
  /** Waits until the runtime has one of the given statuses. Rejects with `ERR_TIMEOUT` after its time. */
  waitForEdgeRuntime(options?: EdgeRuntimeOptions): Promise<EdgeConfiguration>;
}

const path = '/azure-iotedge';

/** Implements {@link EdgeCalls}. */
export function createEdgeCalls({ call }: GatewayCaller, clock: Clock): EdgeCalls {
  const read = async (options: GatewayCallOptions): Promise<EdgeConfiguration> => {
    const answer = await call('read the IoT Edge configuration', { method: 'GET', path }, options);
    return readConfiguration(readObject(answer, 'data'));
  };
  const patch = async (
    attempted: string,
    provisioning: Readonly<Record<string, unknown>>,
    options: GatewayCallOptions,
  ): Promise<void> => {
    await call(attempted, { method: 'PATCH', path, body: { provisioning } }, options);
  };
  return {
    getEdgeConfiguration: (options = {}) => read(options),
    readEndorsementKey: async (options = {}) => {
      const shown = (await read(options)).provisioning.endorsementKey;
      if (shown !== undefined) return shown;
      let refused: unknown;
      for (const selection of selections(options.prepare)) {
        try {
          await patch('select DPS with TPM', selection, options);
        } catch (error) {
          if (!(error instanceof GatewayError) || error.code !== 'ERR_GATEWAY_REFUSED') throw error;
          refused = error;
          continue;
        }
        const prepared = (await read(options)).provisioning.endorsementKey;
        if (prepared !== undefined) return prepared;
      }
      throw new GatewayError(
        'ERR_GATEWAY_NO_ENDORSEMENT_KEY',
        'the gateway shows no endorsement key: it has no TPM, or it is not ready',
        { status: 0 },
        { cause: refused },
      );
    },
    writeProvisioning: async (provisioning, options = {}) => {
      await patch('write the DPS settings', encodeProvisioning(provisioning), options);
    },
    setProvisioningEnabled: async (enabled, options = {}) => {
      await patch(enabled ? 'enable provisioning' : 'disable provisioning', { enable: enabled }, options);
    },
    restartEdge: async (options = {}) => {
      await call('restart IoT Edge', { method: 'PUT', path: `${path}/restart` }, options);
    },
    resetEdge: async (options = {}) => {
      await call('reset IoT Edge', { method: 'PUT', path: `${path}/reset` }, options);
    },
    waitForEdgeRuntime: async (options = {}) => {
      const { statuses = ['running'], signal = new AbortController().signal } = options;
      const timeoutMs = integer('options.timeoutMs', options.timeoutMs ?? 300_000, 3_600_000);
      const pauseMs = integer('options.pauseMs', options.pauseMs ?? 2_000, 600_000);
      const endsAt = clock.now() + timeoutMs;
      for (;;) {
        const configuration = await read(options);
        const { status } = configuration.runtime;
        if (status !== undefined && statuses.includes(status)) return configuration;
        if (clock.now() >= endsAt) throw runtimeTimeout(timeoutMs, status, statuses);
        await clock.sleep(Math.min(pauseMs, endsAt - clock.now()), signal);
      }
    },
  };
}

const tpmSelection = { source: 'dps', method: 'tpm' } as const;

/** What to write, one after the other, to make a gateway look at its TPM. */
function selections(prepare: EndorsementKeyOptions['prepare']): readonly Readonly<Record<string, unknown>>[] {
  if (prepare === undefined || prepare === false) return [];
  return prepare === true ? [tpmSelection] : [tpmSelection, encodeProvisioning(prepare)];
}

/** The DPS settings as the API spells them. */
function encodeProvisioning(provisioning: DpsProvisioning): Readonly<Record<string, unknown>> {
  const { scopeId, registrationId, globalEndpoint } = checkProvisioning(provisioning);
  return { ...tpmSelection, globalEndpoint, registrationId, scopeId };
}

function readConfiguration(data: JsonObject): EdgeConfiguration {
  const runtime = readOptionalObject(data, 'iotedge');
  const provisioning = readOptionalObject(data, 'provisioning');
  return {
    runtime: { version: readOptionalText(runtime, 'version'), status: readOptionalText(runtime, 'status') },
    provisioning: {
      enabled: provisioning.fields['enable'] === true,
      source: readOptionalText(provisioning, 'source'),
      method: readOptionalText(provisioning, 'method'),
      globalEndpoint: readOptionalText(provisioning, 'globalEndpoint'),
      scopeId: readOptionalText(provisioning, 'scopeId'),
      registrationId: readOptionalText(provisioning, 'registrationId'),
      endorsementKey: readOptionalText(provisioning, 'endorsementKey')?.trim(),
    },
  };
}

/** Checks what would be written, by the rules of the API. Throws `ERR_INVALID_ARGUMENT`. */
function checkProvisioning(provisioning: DpsProvisioning): DpsProvisioning {
  const { scopeId, registrationId, globalEndpoint } = provisioning;
  if (typeof scopeId !== 'string' || !/^[\x21-\x7e]{1,128}$/.test(scopeId)) {
    throw new InvalidArgumentError('provisioning.scopeId', 'must have 1 to 128 printable ASCII characters');
  }
  if (typeof registrationId !== 'string' || !/^[a-z0-9-]{1,128}$/.test(registrationId)) {
    throw new InvalidArgumentError(
      'provisioning.registrationId',
      'must have 1 to 128 lower-case letters, digits and dashes: a gateway takes no others',
    );
  }
  if (typeof globalEndpoint !== 'string' || !/^https:\/\/[^\s/?#@]+$/.test(globalEndpoint)) {
    throw new InvalidArgumentError('provisioning.globalEndpoint', 'must be https://host[:port]');
  }
  return provisioning;
}

function runtimeTimeout(
  deadlineMs: number,
  status: string | undefined,
  statuses: readonly string[],
): TimeoutError {
  return new TimeoutError(
    `IoT Edge is ${status ?? 'absent'}, not ${statuses.join(' or ')}, after ${deadlineMs} ms`,
    { deadlineMs, state: status ?? 'absent', retryable: true },
    { remedy: 'Look at the log of the IoT Edge runtime on the gateway.' },
  );
}
