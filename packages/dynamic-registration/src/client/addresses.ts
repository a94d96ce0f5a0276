import { DeviceRegistrationError } from './errors.ts';

/** Where a device sends its token, and then its secret. Throws `ERR_REGISTRATION_URL`. */
export function registrationUrl(text: string | undefined, allowPlainHttp: boolean): URL {
  return safeUrl(
    text,
    'the address of the registrar',
    { secure: ['https:'], plain: ['http:'] },
    allowPlainHttp,
  );
}

/** Checks the address of a broker that a reply or token names. Throws `ERR_REGISTRATION_URL`. */
export function checkBroker(text: string, allowPlain: boolean): string {
  safeUrl(
    text,
    'the address of the broker',
    { secure: ['mqtts:', 'wss:'], plain: ['mqtt:', 'ws:'] },
    allowPlain,
  );
  return text;
}

function safeUrl(
  text: string | undefined,
  what: string,
  protocols: { readonly secure: readonly string[]; readonly plain: readonly string[] },
  allowPlain: boolean,
): URL {
  const url = text !== undefined && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) {
    throw new DeviceRegistrationError('ERR_REGISTRATION_URL', `${what} is missing or no URL`, {
      remedy: 'Name it, or use a token that has it.',
    });
  }
  if (url.username !== '' || url.password !== '') {
    throw new DeviceRegistrationError('ERR_REGISTRATION_URL', `${what} holds a user name or a password`);
  }
  if (protocols.secure.includes(url.protocol)) return url;
  if (allowPlain && protocols.plain.includes(url.protocol) && isLoopback(url.hostname)) return url;
  // The token is not verified on the device: whoever wrote the address could have it send everything in the clear.
  throw new DeviceRegistrationError(
    'ERR_REGISTRATION_URL',
    `${what} begins with ${url.protocol}// where ${protocols.secure.join(' or ')}// is needed`,
    { remedy: 'Only on this machine itself, and when it is allowed, is there no TLS.' },
  );
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}
