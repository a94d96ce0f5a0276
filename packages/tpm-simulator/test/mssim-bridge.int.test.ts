/**
 * Oracle: conversations recorded from the IBM reference simulator (ibmswtpm2 at 878cbdd), byte for byte.
 */
import { readTpmSnapshot, startMssimBridge, startTpmSimulator } from '@endorse/tpm-simulator';
import type { MssimBridge, TpmSimulator } from '@endorse/tpm-simulator';
import { describe, expect, it } from 'vitest';
import { command, connectRaw } from './support/raw-client.ts';
import { bytes } from './support/tpm-bytes.ts';

const acknowledged = '00000000';
const framed = (hex: string, locality = '00'): string => {
  const compact = hex.replaceAll(' ', '');
  return `00000008 ${locality} ${(compact.length / 2).toString(16).padStart(8, '0')} ${compact}`;
};
const answerTo = (code: string): string => `0000000a 8001 0000000a ${code} 00000000`.replaceAll(' ', '');

interface Machine extends AsyncDisposable {
  readonly simulator: TpmSimulator;
  readonly bridge: MssimBridge;
}

async function startMachine(): Promise<Machine> {
  const simulator = await startTpmSimulator();
  const bridge = await startMssimBridge({ target: simulator.address });
  return {
    simulator,
    bridge,
    [Symbol.asyncDispose]: async () => {
      await bridge.stop();
      await simulator.stop();
    },
  };
}

describe('the command port', () => {
  it('shakes hands as the original does', async () => {
    await using machine = await startMachine();
    await using client = await connectRaw(machine.bridge.commandPort);
    client.send('0000000f 00000001');
    expect(await client.receive(12)).toBe('000000010000000d00000000');
    client.send('0000000f 00000000');
    expect(await client.receive(1)).toBe('');
  });

  it('frames a command and its answer, handshake or not', async () => {
    await using machine = await startMachine();
    await using client = await connectRaw(machine.bridge.commandPort);
    client.send('00000008 00 0000000c 80010000000c0000017b0004');
    expect(await client.receive(24)).toMatch(/^00000010800100000010000000000004[0-9a-f]{8}00000000$/);
  });

  it('takes a request byte by byte, and three in one piece', async () => {
    await using machine = await startMachine();
    await using client = await connectRaw(machine.bridge.commandPort);
    for (const byte of framed(bytes.getRandom4).replaceAll(' ', '').match(/../g) ?? []) client.send(byte);
    expect(await client.receive(24)).toMatch(/^00000010.{32}00000000$/);
    client.send(framed(bytes.getRandom4).repeat(3));
    expect(await client.receive(72)).toMatch(/^(00000010.{32}00000000){3}$/);
  });

  it('answers in one write, so that no client waits for a delayed acknowledgement', async () => {
    await using machine = await startMachine();
    await using client = await connectRaw(machine.bridge.commandPort);
    const durationsMs: number[] = [];
    for (let round = 1; round <= 21; round += 1) {
      const sentAt = performance.now();
      client.send(framed(bytes.getRandom4));
      await client.receive(24);
      durationsMs.push(performance.now() - sentAt);
      expect(client.chunks).toBe(round);
    }
    // The original's three writes cost 44 ms every time.
    expect(Math.min(...durationsMs)).toBeLessThan(20);
  });

  it.each([
    ['shorter than a header', '8001000000'],
    ['whose size is not true', '8001 0000000d 0000017b 0004'],
    ['longer than swtpm takes', `8001 00001389 0000017b ${'00'.repeat(4_991)}`],
  ])('refuses a command %s and stays in step', async (_what, hex) => {
    await using machine = await startMachine();
    await using client = await connectRaw(machine.bridge.commandPort);
    client.send(framed(hex));
    expect(await client.receive(18)).toBe(answerTo('00000142'));
    client.send(framed(bytes.getRandom4));
    expect(await client.receive(24)).toMatch(/^00000010/);
  });

  it('passes the locality on, refuses one that does not exist, and leaves none behind', async () => {
    await using machine = await startMachine();
    {
      await using client = await connectRaw(machine.bridge.commandPort);
      // TPM2_PCR_Reset of PCR 20: locality 2 or 4 only.
      const resetPcr = '8002 0000001b 0000013d 00000014 00000009 40000009 0000 00 0000';
      client.send(framed(resetPcr));
      expect(await client.receive(18)).toBe(answerTo('00000907'));
      client.send(framed(resetPcr, '02'));
      expect((await client.receive(27)).slice(0, 28)).toBe('00000013' + '8002' + '00000013' + '00000000');
      client.send(framed(resetPcr, '05'));
      expect(await client.receive(18)).toBe(answerTo('00000907'));
      client.send(framed(bytes.getRandom4, '03') + ' 00000014');
      await client.receive(24);
      expect(await client.receive(1)).toBe('');
    }
    // A locality that stays behind would outlive the reset and make TPM2_Startup answer 0x907.
    await using platform = await connectRaw(machine.bridge.platformPort);
    platform.send('00000011');
    expect(await platform.receive(4)).toBe(acknowledged);
    expect(await command(machine.simulator.address, bytes.startupClear)).toBe('80010000000a00000000');
  });

  it.each([
    ['an unknown code', '00000063'],
    ['a body above 1 MiB', '00000008 00 00100001'],
    ['the end of the session', '00000014'],
  ])('closes without an answer on %s, and serves the next client', async (_what, hex) => {
    await using machine = await startMachine();
    await using client = await connectRaw(machine.bridge.commandPort);
    client.send(hex);
    expect(await client.receive(1)).toBe('');
    await using next = await connectRaw(machine.bridge.commandPort);
    next.send(framed(bytes.getRandom4));
    expect(await next.receive(24)).toMatch(/^00000010/);
  });

  it('serves one client at a time', async () => {
    await using machine = await startMachine();
    await using second = await (async () => {
      await using first = await connectRaw(machine.bridge.commandPort);
      first.send(framed(bytes.getRandom4));
      await first.receive(24);
      const waiting = await connectRaw(machine.bridge.commandPort);
      waiting.send(framed(bytes.getRandom4));
      first.send(framed(bytes.getRandom4));
      await first.receive(24);
      expect(waiting.chunks).toBe(0);
      return waiting;
    })();
    expect(await second.receive(24)).toMatch(/^00000010/);
  });

  it('closes a client whose simulator dies', async () => {
    await using machine = await startMachine();
    await using client = await connectRaw(machine.bridge.commandPort);
    await machine.simulator.kill();
    client.send(framed(bytes.getRandom4));
    expect(await client.receive(1)).toBe('');
    await machine.simulator.restart();
    await using next = await connectRaw(machine.bridge.commandPort);
    next.send(framed(bytes.getRandom4));
    expect(await next.receive(24)).toMatch(/^00000010/);
  });

  it('lets others talk to the simulator between its clients', async () => {
    await using machine = await startMachine();
    {
      await using client = await connectRaw(machine.bridge.commandPort);
      client.send(framed(bytes.getRandom4) + ' 00000014');
      await client.receive(24);
      expect(await client.receive(1)).toBe('');
    }
    expect((await readTpmSnapshot(machine.simulator.address)).transient).toEqual([]);
  });
});

describe('the platform port', () => {
  it('switches the power: nothing while off, then a TPM that waits for TPM2_Startup', async () => {
    await using machine = await startMachine();
    await using client = await connectRaw(machine.bridge.commandPort);
    await using platform = await connectRaw(machine.bridge.platformPort);
    const signal = async (code: string): Promise<void> => {
      platform.send(code);
      expect(await platform.receive(4)).toBe(acknowledged);
    };
    await signal('00000001'); // on while on: the state is kept
    client.send(framed(bytes.startupClear));
    expect(await client.receive(18)).toBe(answerTo('00000100'));
    await signal('00000002');
    await signal('00000002');
    client.send(framed(bytes.getRandom4));
    expect(await client.receive(8)).toBe('0000000000000000');
    await signal('00000001');
    await signal('0000000b'); // NV on
    client.send(framed(bytes.getRandom4));
    expect(await client.receive(18)).toBe(answerTo('00000100'));
    client.send(framed(bytes.startupClear));
    expect(await client.receive(18)).toBe(answerTo('00000000'));
    client.send(framed(bytes.getRandom4));
    expect(await client.receive(24)).toMatch(/^00000010/);
  });

  it.each(['00000011', '00000012'])('resets with code %s', async (code) => {
    await using machine = await startMachine();
    await using client = await connectRaw(machine.bridge.commandPort);
    await using platform = await connectRaw(machine.bridge.platformPort);
    platform.send(code);
    expect(await platform.receive(4)).toBe(acknowledged);
    client.send(framed(bytes.getRandom4));
    expect(await client.receive(18)).toBe(answerTo('00000100'));
  });

  it('puts the TPM into failure mode until a reset', async () => {
    await using machine = await startMachine();
    await using client = await connectRaw(machine.bridge.commandPort);
    await using platform = await connectRaw(machine.bridge.platformPort);
    platform.send('0000001e');
    expect(await platform.receive(4)).toBe(acknowledged);
    client.send(framed(bytes.getRandom4));
    expect(await client.receive(18)).toBe(answerTo('00000101'));
    platform.send('00000011');
    expect(await platform.receive(4)).toBe(acknowledged);
    client.send(framed(bytes.startupClear));
    expect(await client.receive(18)).toBe(answerTo('00000000'));
  });

  it.each(['00000003', '00000004', '00000009', '0000000a', '0000000d', '0000000e'])(
    'acknowledges code %s',
    async (code) => {
      await using machine = await startMachine();
      await using platform = await connectRaw(machine.bridge.platformPort);
      platform.send(code);
      expect(await platform.receive(4)).toBe(acknowledged);
    },
  );

  it.each(['0000000c', '00000063'])('refuses code %s and closes', async (code) => {
    await using machine = await startMachine();
    await using platform = await connectRaw(machine.bridge.platformPort);
    platform.send(code);
    expect(await platform.receive(4)).toBe('00000001');
    expect(await platform.receive(1)).toBe('');
  });
});

describe('a bridge', () => {
  it('ends with its clients, on request of one of them too, and gives its ports back', async () => {
    await using machine = await startMachine();
    await using idle = await connectRaw(machine.bridge.commandPort);
    await using platform = await connectRaw(machine.bridge.platformPort);
    platform.send('00000015');
    expect(await idle.receive(1)).toBe('');
    await machine.bridge.stop();
    await using again = await startMssimBridge({
      target: machine.simulator.address,
      port: machine.bridge.commandPort,
    });
    expect(again.address).toBe(machine.bridge.address);
    expect(again.platformPort).toBe(machine.bridge.platformPort);
  });

  it('reports a port that is taken', async () => {
    await using machine = await startMachine();
    const options = { target: machine.simulator.address, port: machine.bridge.commandPort };
    await expect(startMssimBridge(options)).rejects.toMatchObject({ code: 'ERR_SIMULATOR_START' });
  });
});
