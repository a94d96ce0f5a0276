/** What a TPM answered, recorded on its way to the security client. */
import { register } from '@endorse/registration-core';
import { createTpmExecutor, createTpmSecurityClient, openTpmDevice, tpmInfo } from '@endorse/security-tpm';
import type { TpmDevice } from '@endorse/security-tpm';
import { commandName } from '@endorse/tpm2';
import { createHttpTransport } from '@endorse/transport-http';
import { startDevice } from '../../suites/device-fixture.ts';
import { readVectors } from './protocol-samples.ts';

/** One answer of a TPM. */
export interface RecordedResponse {
  /** The command's name, without `TPM2_`. */
  readonly command: string;
  /** How many authorizations the command had. */
  readonly sessions: number;
  readonly response: Uint8Array;
}

const tagSessions = 0x80_02;

/** Records a whole registration with swtpm, and adds the answers that were captured once, of TPMs in odd states too. */
export async function recordTpm(): Promise<readonly RecordedResponse[]> {
  const responses: RecordedResponse[] = [];
  await using device = await startDevice();
  const { emulator, simulator } = device;
  const tpm = recording(await openTpmDevice(simulator.address), responses);
  try {
    const executor = await createTpmExecutor(tpm);
    await tpmInfo(executor);
    await executor.close();
    await using securityClient = await createTpmSecurityClient({ tpm });
    const transport = createHttpTransport({ ca: emulator.caPem });
    const target = { provisioningHost: emulator.provisioningHost, idScope: emulator.idScope };
    const signal = AbortSignal.timeout(20_000);
    await register({ ...target, transport, securityClient, signal });
  } finally {
    await tpm.close();
  }
  const captured = readVectors('tpm2', 'captured-responses') as {
    readonly responses: readonly {
      readonly command: string;
      readonly sessions: number;
      readonly response: string;
    }[];
  };
  return [
    ...responses,
    ...captured.responses.map((each) => ({
      ...each,
      response: Uint8Array.from(Buffer.from(each.response, 'hex')),
    })),
  ];
}

function recording(device: TpmDevice, responses: RecordedResponse[]): TpmDevice {
  return {
    info: device.info,
    transmit: async (command, options) => {
      const response = await device.transmit(command, options);
      const view = Buffer.from(command);
      const name = commandName(view.readUInt32BE(6));
      const sessions = view.readUInt16BE(0) === tagSessions ? countSessions(view) : 0;
      if (name !== undefined) responses.push({ command: name, sessions, response });
      return response;
    },
    close: () => device.close(),
  };
}

/** Sessions of a command, by the sizes in its authorization area, which stands behind one handle or two. */
function countSessions(command: Buffer): number {
  return [14, 18, 10].map((at) => sessionsAt(command, at)).find((count) => count !== undefined) ?? 1;
}

function sessionsAt(command: Buffer, at: number): number | undefined {
  if (at + 4 > command.length) return undefined;
  const end = at + 4 + command.readUInt32BE(at);
  if (end > command.length) return undefined;
  let count = 0;
  for (let next = at + 4; next < end; count += 1) {
    // Handle, nonce, attributes, HMAC.
    const hmacAt = next + 6 + (next + 6 <= end ? command.readUInt16BE(next + 4) : 0) + 1;
    if (hmacAt + 2 > end) return undefined;
    next = hmacAt + 2 + command.readUInt16BE(hmacAt);
    if (next > end) return undefined;
  }
  return count;
}
