/** The third exchange of the `/drs/` dialect: how far the assignment is. */
import { InvalidArgumentError } from '@endorse/interface';
import { encodeBase64 } from '../json/base64.ts';
import { JsonObjectReader, definedFields } from '../json/json-object-reader.ts';
import { formatJson, type JsonDecodeOptions, type JsonInput } from '../json/json-text.ts';
import { maxActivationBlobBytes, maxResponseBytes } from '../limits.ts';

/** What a progress URL answers. */
export type DrsProgress =
  | { readonly status: 'assigning' }
  | {
      readonly status: 'assigned';
      /** Host of the hub, with a port when it is not the usual one. */
      readonly iotHubUrl: string;
      /** The device's name there; absent: its registration id. */
      readonly deviceId?: string;
      /** Activation blob with the key for the hub; absent: the device gets it elsewhere. */
      readonly authenticationKey?: Uint8Array;
    }
  /** The service will not assign the device. */
  | {
      readonly status: 'failed' | 'disabled';
      /** The service's own number, for example 400208. */
      readonly errorCode?: number;
      readonly errorMessage?: string;
    };

/** Writes a progress answer. Throws `ERR_INVALID_ARGUMENT` for an empty hub. */
export function encodeDrsProgress(progress: DrsProgress): string {
  switch (progress.status) {
    case 'assigning':
      return formatJson('progress', { status: progress.status });
    case 'assigned': {
      const { iotHubUrl, deviceId, authenticationKey } = progress;
      if (iotHubUrl === '') throw new InvalidArgumentError('progress.iotHubUrl', 'must not be empty');
      const tpm = authenticationKey && { authenticationKey: encodeBase64(authenticationKey) };
      return formatJson('progress', { IotHubUrl: iotHubUrl, deviceId, tpm });
    }
    case 'failed':
    case 'disabled': {
      const { status, errorCode, errorMessage } = progress;
      return formatJson('progress', { status, errorCode, errorMessage });
    }
    default:
      return progress satisfies never;
  }
}

/** Reads a progress answer; one that names a hub is `assigned`. Throws `ERR_REMOTE_MALFORMED` or `ERR_REMOTE_TOO_LARGE`. */
export function decodeDrsProgress(input: JsonInput, options: JsonDecodeOptions = {}): DrsProgress {
  const reader = JsonObjectReader.parse('progress', input, options.maxBytes ?? maxResponseBytes);
  const iotHubUrl = reader.optionalString('IotHubUrl', maxHubUrlLength);
  if (iotHubUrl !== undefined) {
    if (!/^[\x21-\x7e]+$/.test(iotHubUrl)) {
      throw reader.problem('IotHubUrl', 'must have printable ASCII characters only, and at least one');
    }
    return definedFields({
      status: 'assigned',
      iotHubUrl,
      deviceId: reader.optionalString('deviceId', 128),
      authenticationKey: reader
        .optionalReader('tpm')
        ?.optionalBytes('authenticationKey', maxActivationBlobBytes),
    });
  }
  const status = reader.optionalString('status', 64);
  switch (status) {
    case 'assigning':
      return { status };
    case 'failed':
    case 'disabled':
      return definedFields({
        status,
        errorCode: reader.optionalInteger('errorCode'),
        errorMessage: reader.optionalString('errorMessage', 65_536),
      });
    case undefined:
      throw reader.problem('IotHubUrl', 'is missing, and so is status');
    default:
      throw reader.problem('status', 'is no status of an operation', status);
  }
}

const maxHubUrlLength = 255;
