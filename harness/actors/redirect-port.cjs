'use strict';
/**
 * Preload (`node --require`) for clients that insist on port 443: connections
 * to `<any host>:443` go to 127.0.0.1:$ENDORSE_REDIRECT_443 instead. Server name
 * and certificate check stay those of the host that the client asked for, so the
 * client's own files and its TLS behaviour are untouched.
 */
const tls = require('node:tls');

const port = Number(process.env.ENDORSE_REDIRECT_443);
if (!Number.isInteger(port) || port < 1 || port > 65_535) {
  throw new Error('ENDORSE_REDIRECT_443 must be the port to redirect to');
}
const connect = tls.connect;

tls.connect = function redirectedConnect(...args) {
  const options = args[0];
  if (typeof options === 'object' && options !== null && Number(options.port) === 443) {
    const servername = options.servername || options.host;
    args[0] = { ...options, host: '127.0.0.1', port, servername, path: undefined };
  }
  return connect.apply(tls, args);
};
