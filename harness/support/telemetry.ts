import type { ClientCertificate, HubTokenProvider } from '@endorse/interface';
import { encodeHubEventTarget } from '@endorse/protocol';
import { Agent } from 'undici';
import { callRest } from './rest-call.ts';

/** What a device shows its hub: tokens in requests, or a certificate in the TLS handshake. */
export type HubCredentials =
  | { readonly tokens: HubTokenProvider; readonly certificate?: undefined }
  | { readonly certificate: ClientCertificate; readonly tokens?: undefined };

/** What a device sends, and where. */
export interface TelemetryOptions {
  readonly assignedHub: string;
  readonly deviceId: string;
  readonly credentials: HubCredentials;
  readonly message: Readonly<Record<string, unknown>>;
  readonly caPem: string;
  readonly signal: AbortSignal;
}

/** Sends one message to the hub over HTTPS; returns the HTTP status, 204 when the hub took it. */
export async function sendTelemetry(options: TelemetryOptions): Promise<number> {
  const { tokens, certificate } = options.credentials;
  const client =
    certificate === undefined
      ? {}
      : { cert: certificate.certificatePem, key: certificate.privateKeyPem.revealText() };
  const dispatcher = new Agent({ connect: { ca: options.caPem, ...client } });
  try {
    const token = await tokens?.getToken({ signal: options.signal });
    const { status } = await callRest({
      method: 'POST',
      url: `https://${options.assignedHub}${encodeHubEventTarget({ deviceId: options.deviceId })}`,
      ...(token === undefined ? {} : { authorization: token.sasToken.revealText() }),
      contentType: 'application/json',
      body: JSON.stringify(options.message),
      dispatcher,
      signal: options.signal,
    });
    return status;
  } finally {
    await dispatcher.close();
  }
}
