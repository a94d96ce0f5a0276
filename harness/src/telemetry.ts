import type { HubTokenProvider } from '@endorse/interface';
import { encodeHubEventTarget } from '@endorse/protocol';
import { Agent } from 'undici';
import { callRest } from './rest-call.ts';

/** What a device sends, and where. */
export interface TelemetryOptions {
  readonly assignedHub: string;
  readonly deviceId: string;
  readonly tokens: HubTokenProvider;
  readonly message: Readonly<Record<string, unknown>>;
  readonly caPem: string;
  readonly signal: AbortSignal;
}

/** Sends one message to the hub over HTTPS; returns the HTTP status, 204 when the hub took it. */
export async function sendTelemetry(options: TelemetryOptions): Promise<number> {
  const dispatcher = new Agent({ connect: { ca: options.caPem } });
  try {
    const { sasToken } = await options.tokens.getToken({ signal: options.signal });
    const { status } = await callRest({
      method: 'POST',
      url: `https://${options.assignedHub}${encodeHubEventTarget({ deviceId: options.deviceId })}`,
      authorization: sasToken.revealText(),
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
