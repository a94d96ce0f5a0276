/** The REST API of a simulated gateway: the documented answers of its family, and those of its faults. */
import type { Device } from './device.ts';
import { edgeRoutes } from './edge-routes.ts';
import { sessionRoutes } from './session-routes.ts';
import type { RestAnswer, RestRequest, Route } from './route.ts';
import { refuse } from './route.ts';
import { systemRoutes } from './system-routes.ts';

const routes: readonly Route[] = [...sessionRoutes, ...systemRoutes, ...edgeRoutes];

/** Answers one request. */
export async function answerRequest(device: Device, request: RestRequest): Promise<RestAnswer> {
  const route = routes.find(
    ({ method, path, family }) =>
      method === request.method && path.test(request.path) && (family ?? device.family) === device.family,
  );
  if (route === undefined) return refuse(device, 404, 'not found');
  if (route.needsToken !== false) {
    const session = request.token === undefined ? undefined : device.sessions.get(request.token);
    if (session === undefined) return refuse(device, 401, 'authentication required');
    if (device.has('drops-connections')) return 'drop';
  }
  return route.handle(device, request, route.path.exec(request.path)?.[1] ?? '');
}
