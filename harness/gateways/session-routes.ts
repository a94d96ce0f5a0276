/** Sign-in with lock-out and session budget, sessions, and the own password. */
import { randomBytes } from 'node:crypto';
import type { Device } from './device.ts';
import type { RestAnswer, Route } from './route.ts';
import { ok, refuse } from './route.ts';
import { factoryPassword, factoryUser } from './spec.ts';

/** Ten failures within 15 minutes lock the account for ten minutes. */
const maxFailures = 10;
const failureWindowMs = 15 * 60_000;
const lockMs = 10 * 60_000;
const maxSessions = 5;
const sessionLifetimeMs = 1_440 * 60_000;

export const sessionRoutes: readonly Route[] = [
  { method: 'POST', path: /^\/auth$/, needsToken: false, handle: (device, { body }) => signIn(device, body) },
  { method: 'GET', path: /^\/auth$/, handle: () => ok('ok') },
  {
    method: 'GET',
    path: /^\/sessions$/,
    family: 'aig-302',
    handle: (device, { token }) => {
      const sessions = [...device.sessions].map(([each, { id, createdAt }]) => ({
        id,
        userId: 1,
        userName: factoryUser,
        createdAt: new Date(createdAt).toISOString(),
        ...(each === token ? { isCurrent: true } : {}),
      }));
      return { status: 200, body: { count: sessions.length, data: sessions } };
    },
  },
  {
    method: 'DELETE',
    path: /^\/sessions\/(\d+)$/,
    family: 'aig-302',
    handle: (device, _request, id) => {
      const [token] = [...device.sessions].find(([, session]) => session.id === Number(id)) ?? [];
      if (token === undefined) return refuse(device, 404, 'session not found');
      device.sessions.delete(token);
      device.ports.onEvent({ event: 'signed-out' });
      return { status: 204 };
    },
  },
  {
    method: 'PUT',
    path: /^\/users\/me\/password$/,
    handle: (device, { body }) => {
      const { newPassword, oldPassword } = body;
      if (oldPassword !== undefined && oldPassword !== device.password) {
        return refuse(device, 400, 'Invalid current password.');
      }
      if (newPassword === factoryPassword) {
        return refuse(device, 400, 'New password should be different from default password.');
      }
      if (typeof newPassword !== 'string' || newPassword.length < 8) {
        return refuse(device, 400, 'invalid input, err: password is too short');
      }
      device.password = newPassword;
      device.passwordChangedAt = new Date(device.ports.clock.now()).toISOString();
      device.changed('password', '***');
      return ok(describeUser(device));
    },
  },
];

function signIn(device: Device, { name, password }: Readonly<Record<string, unknown>>): RestAnswer {
  const { clock, onEvent } = device.ports;
  const now = clock.now();
  const recent = device.failures.filter((failedAt) => now - failedAt < failureWindowMs);
  const lastFailure = recent.at(-1);
  const isLocked = recent.length >= maxFailures && lastFailure !== undefined && now - lastFailure < lockMs;
  if (isLocked || device.has('locked')) {
    onEvent({ event: 'sign-in-refused' });
    return refuse(device, 423, 'the account was banned temporarily');
  }
  if (name !== factoryUser || password !== device.password) {
    device.failures.splice(0, device.failures.length, ...recent, now);
    onEvent({ event: 'sign-in-refused' });
    return refuse(device, 401, 'The account or password you entered is not correct.');
  }
  for (const [token, { createdAt }] of device.sessions) {
    if (now - createdAt > sessionLifetimeMs) device.sessions.delete(token);
  }
  const isFull = device.family === 'aig-302' && device.sessions.size >= maxSessions;
  if (isFull || device.has('session-limit')) {
    return refuse(device, 403, 'session creation failed: maximum session limit reached');
  }
  device.failures.length = 0;
  device.issued += 1;
  const token = `eyJhbGciOiJIUzI1NiJ9.${randomBytes(24).toString('base64url')}.${randomBytes(32).toString('base64url')}`;
  device.sessions.set(token, { id: device.issued, createdAt: now });
  onEvent({ event: 'signed-in' });
  return ok({
    token,
    user: describeUser(device),
    ...(device.family === 'aig-302' ? { systemIntegrityStatus: 'good' } : {}),
  });
}

function describeUser(device: Device): unknown {
  const changedAt = device.passwordChangedAt;
  return {
    id: 1,
    name: factoryUser,
    email: null,
    isActive: true,
    permissions: ['SYS_MAINTENANCE_RW', 'SYS_USER_RW'],
    roles: [{ id: 1, name: 'Administrator' }],
    ...(device.family === 'aig-302' ? { passwordChangedAt: changedAt } : { changedPasswordAt: changedAt }),
  };
}
