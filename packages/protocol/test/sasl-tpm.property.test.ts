/**
 * The SASL mechanism TPM, both roles. Oracle: `SaslTpm` of the official Node client, run against our server; and the
 * rules of the other official clients: Java takes exactly `80` and `C1`, C and C# count the segments.
 */
import { createRequire } from 'node:module';
import { Secret, isEndorseError } from '@endorse/interface';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  SaslTpmClient,
  SaslTpmServer,
  decodeSaslTpmIdentity,
  encodeSaslTpmSegments,
  maxSaslFrameBytes,
} from '@endorse/protocol';
import { thrownBy } from './vectors.ts';

interface OfficialMechanism {
  start(callback: (error: unknown, response: Buffer) => void): void;
  step(challenge: Buffer, callback: (error: unknown, response: Buffer) => void): void;
}
type OfficialConstructor = new (
  idScope: string,
  registrationId: string,
  endorsementKey: Buffer,
  storageRootKey: Buffer,
  getSasToken: (blob: Buffer, callback: (error: undefined, token: string) => void) => void,
) => OfficialMechanism;
const require = createRequire(import.meta.url);
const { SaslTpm } = require('azure-iot-provisioning-device-amqp/dist/sasl_tpm.js') as {
  readonly SaslTpm: OfficialConstructor;
};

const device = {
  idScope: '0ne00000001',
  registrationId: 'a-device-with-a-name-as-long-as-the-hash-of-its-ek-52',
  endorsementKey: new Uint8Array(316).fill(0x0e),
  storageRootKey: new Uint8Array(284).fill(0x05),
};
const token = Secret.fromText('SharedAccessSignature sr=a&sig=b&se=1&skn=registration');

/** A client that has told its keys and waits for segments. */
function receivingClient(): SaslTpmClient {
  const client = new SaslTpmClient(device);
  client.start();
  client.receive(Uint8Array.of(0));
  return client;
}

/** Cuts a blob at the given places into challenges with correct control bytes. */
function cut(blob: Uint8Array, places: readonly number[]): Uint8Array[] {
  const bounds = [0, ...places.toSorted((left, right) => left - right), blob.byteLength];
  return bounds.slice(1).map((end, index) => {
    const control = 0x80 | (index === bounds.length - 2 ? 0x40 : 0) | (index % 4);
    return Uint8Array.of(control, ...blob.subarray(bounds[index], end));
  });
}

const blobs = fc.uint8Array({ minLength: 1, maxLength: 1500 });

describe('the device', () => {
  test('reassembles a blob whatever its segmentation, up to eight segments', () => {
    fc.assert(
      fc.property(
        blobs,
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 7 }),
        (blob, cuts) => {
          const challenges = cut(
            blob,
            cuts.map((place) => Math.floor(place * blob.byteLength)),
          );
          const client = receivingClient();
          const steps = challenges.map((challenge) => client.receive(challenge));
          expect(
            steps.slice(0, -1).every((step) => step.kind === 'respond' && step.response.join() === '0'),
          ).toBe(true);
          expect(steps.at(-1)).toEqual({ kind: 'challenged', activationBlob: blob });
          expect(Buffer.from(client.answer(token)).toString()).toBe(`\0${token.revealText()}`);
        },
      ),
    );
  });

  test('refuses any segment that is not the next, and every challenge after that', () => {
    fc.assert(
      fc.property(blobs, fc.nat({ max: 2 }), fc.integer({ min: 1, max: 3 }), (blob, position, offset) => {
        const places = [1, 2, 3].map((part) => Math.floor((part * blob.byteLength) / 4));
        const challenges = cut(blob, places);
        const wrong = Uint8Array.from(challenges[position] as Uint8Array);
        wrong[0] = ((wrong[0] ?? 0) & 0xfc) | (((wrong[0] ?? 0) + offset) & 3);
        const client = receivingClient();
        for (const challenge of challenges.slice(0, position)) client.receive(challenge);
        expect(thrownBy(() => client.receive(wrong))).toMatchObject({ code: 'ERR_REMOTE_UNEXPECTED' });
        expect(thrownBy(() => client.receive(challenges[position]))).toMatchObject({ fault: 'peer' });
      }),
    );
  });

  test('ends every exchange within nine challenges, with a blob or a typed error, whatever arrives', () => {
    const challenge = fc.option(fc.uint8Array({ maxLength: 40 }), { nil: undefined });
    fc.assert(
      fc.property(fc.array(challenge, { minLength: 12, maxLength: 12 }), (challenges) => {
        const client = new SaslTpmClient(device);
        client.start();
        const outcomes = challenges.map((each) => {
          const error = thrownByOrUndefined(() => client.receive(each));
          expect(error === undefined || isPeerFault(error)).toBe(true);
          return error;
        });
        expect(outcomes.filter((error) => error === undefined).length).toBeLessThanOrEqual(9);
        const first = outcomes.findIndex((error) => error !== undefined);
        expect(outcomes.slice(first).every((error) => error !== undefined)).toBe(true);
      }),
    );
  });

  test.each([
    ['nothing', undefined],
    ['an empty challenge', []],
    ['more than one byte', [0, 0]],
    ['a segment', [0xc0, 1]],
    ['another byte', [1]],
  ])('gives the storage root key for a single 00, and not for %s', (_title, bytes) => {
    const client = new SaslTpmClient(device);
    client.start();
    const challenge = bytes === undefined ? undefined : Uint8Array.from(bytes);
    expect(thrownBy(() => client.receive(challenge))).toMatchObject({ code: 'ERR_REMOTE_MALFORMED' });
  });

  test.each([
    ['a second 00', [[0]], 'ERR_REMOTE_MALFORMED'],
    ['an empty blob', [[0xc0]], 'ERR_REMOTE_MALFORMED'],
    [
      'a challenge after the last',
      [
        [0xc0, 1],
        [0xc1, 2],
      ],
      'ERR_REMOTE_UNEXPECTED',
    ],
    [
      'segments without an end',
      Array.from({ length: 8 }, (_unused, index) => [0x80 | (index % 4), 1]),
      'ERR_REMOTE_TOO_LARGE',
    ],
  ])('refuses %s', (_title, challenges, code) => {
    const client = receivingClient();
    const receive = (): void => challenges.forEach((bytes) => void client.receive(Uint8Array.from(bytes)));
    expect(thrownBy(receive)).toMatchObject({ code });
  });

  test('refuses more than 8 KiB of blob', () => {
    const client = receivingClient();
    client.receive(Uint8Array.of(0x80, ...new Uint8Array(8000)));
    expect(thrownBy(() => client.receive(Uint8Array.of(0xc1, ...new Uint8Array(200))))).toMatchObject({
      code: 'ERR_REMOTE_TOO_LARGE',
    });
  });

  test('refuses what does not fit a SASL frame before it sends anything', () => {
    const long = { ...device, idScope: 's'.repeat(64), registrationId: 'r'.repeat(128) };
    expect(thrownBy(() => new SaslTpmClient(long))).toMatchObject({ code: 'ERR_LOCAL_UNENCODABLE' });
    const client = receivingClient();
    client.receive(Uint8Array.of(0xc0, 1));
    expect(thrownBy(() => client.answer(Secret.fromText('t'.repeat(500))))).toMatchObject({
      code: 'ERR_LOCAL_UNENCODABLE',
    });
  });

  test('does nothing out of order', () => {
    const client = new SaslTpmClient(device);
    expect(thrownBy(() => client.receive(Uint8Array.of(0)))).toMatchObject({ code: 'ERR_LOCAL_STATE' });
    const other = new SaslTpmClient(device);
    other.start();
    expect(thrownBy(() => other.start())).toMatchObject({ code: 'ERR_LOCAL_STATE' });
    expect(thrownBy(() => other.answer(token))).toMatchObject({ code: 'ERR_LOCAL_STATE' });
  });
});

describe('the service', () => {
  /** Lets a mechanism of a client talk to our server until the token has come. */
  function converse(client: OfficialMechanism, blob: Uint8Array): { token: string; controls: number[] } {
    const server = new SaslTpmServer();
    const controls: number[] = [];
    let response: Uint8Array = new Uint8Array();
    client.start((_error, bytes) => (response = bytes));
    for (let round = 0; round < 10; round += 1) {
      const step = server.receive(response);
      if (step.kind === 'answered') return { token: step.token, controls };
      if (step.kind === 'identified')
        expect({ ...step.identity, storageRootKey: step.storageRootKey }).toEqual(device);
      const challenge = step.kind === 'identified' ? server.challenge(blob) : step.challenge;
      expect(challenge.byteLength).toBeLessThan(maxSaslFrameBytes - 24);
      controls.push(challenge[0] ?? -1);
      client.step(Buffer.from(challenge), (_error, bytes) => (response = bytes));
    }
    throw new Error('the conversation does not end');
  }

  test('gives the official client any blob, in two segments up to 940 bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 1880 }), (blob) => {
        let received: Buffer = Buffer.alloc(0);
        const client = new SaslTpm(
          device.idScope,
          device.registrationId,
          Buffer.from(device.endorsementKey),
          Buffer.from(device.storageRootKey),
          (bytes, callback) => {
            received = bytes;
            callback(undefined, 'the token');
          },
        );
        const { token: answered, controls } = converse(client, blob);
        expect(answered).toBe('the token');
        expect(Uint8Array.from(received)).toEqual(blob);
        expect(controls[0]).toBe(0);
        const segments = controls.slice(1);
        if (blob.byteLength <= 940) expect(segments).toEqual([0x80, 0xc1]);
        else
          expect(segments).toEqual(
            [0x80, 0x81, 0x82, 0x83].slice(0, segments.length - 1).concat(0xc0 | (segments.length - 1)),
          );
      }),
    );
  });

  test('gives our client any blob, too', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 2, maxLength: 1880 }), (blob) => {
        const client = new SaslTpmClient(device);
        let response = client.start();
        const server = new SaslTpmServer();
        for (let step = server.receive(response); step.kind !== 'answered'; step = server.receive(response)) {
          const challenge = step.kind === 'identified' ? server.challenge(blob) : step.challenge;
          const reaction = client.receive(challenge);
          if (reaction.kind === 'challenged') expect(reaction.activationBlob).toEqual(blob);
          response = reaction.kind === 'respond' ? reaction.response : client.answer(token);
        }
      }),
    );
  });

  test('ends every exchange with a token or a typed error, whatever arrives', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 8 }), (responses) => {
        const server = new SaslTpmServer();
        for (const response of responses) {
          const error = thrownByOrUndefined(() => {
            if (server.receive(response).kind === 'identified') server.challenge(new Uint8Array(900));
          });
          expect(error === undefined || isPeerFault(error)).toBe(true);
        }
      }),
    );
  });

  test.each([0, 1, 1881])('has no segments for a blob of %s bytes', (byteLength) => {
    expect(thrownBy(() => encodeSaslTpmSegments(new Uint8Array(byteLength)))).toMatchObject({
      code: 'ERR_OUT_OF_RANGE',
    });
  });

  test('takes an identity whose key holds zeros, and none without all its parts', () => {
    const key = Uint8Array.of(0, 1, 0, 2);
    expect(decodeSaslTpmIdentity(Uint8Array.of(0, 0x61, 0, 0x62, 0, ...key))).toEqual({
      idScope: 'a',
      registrationId: 'b',
      endorsementKey: key,
    });
    for (const bytes of [
      [],
      [0],
      [1, 0x61, 0, 0x62, 0, 1, 2, 3],
      [0, 0x61, 0, 0x62],
      [0, 0x61, 0, 0x62, 0, 1],
    ]) {
      expect(thrownBy(() => decodeSaslTpmIdentity(Uint8Array.from(bytes)))).toMatchObject({
        code: 'ERR_REMOTE_MALFORMED',
      });
    }
  });

  test('does nothing out of order', () => {
    const server = new SaslTpmServer();
    expect(thrownBy(() => server.challenge(new Uint8Array(900)))).toMatchObject({ code: 'ERR_LOCAL_STATE' });
  });
});

function isPeerFault(error: unknown): boolean {
  return isEndorseError(error) && error.fault === 'peer';
}

function thrownByOrUndefined(action: () => unknown): unknown {
  try {
    action();
    return undefined;
  } catch (error) {
    return error;
  }
}
