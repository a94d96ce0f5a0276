'use strict';
/**
 * A tss.js device over an swtpm data socket. tss.js's own TCP device speaks the
 * mssim protocol, which swtpm does not; `tpm.device` is a plain property, so this
 * one is put in its place and no file of tss.js is touched. It keeps the process
 * alive while a command is on its way, and no longer.
 */
const net = require('node:net');

class SwtpmDevice {
  constructor(address) {
    const url = new URL(address);
    this.target =
      url.protocol === 'swtpm+unix:'
        ? { path: url.pathname }
        : { host: url.hostname, port: Number(url.port) };
  }

  connect(callback) {
    this.socket = net.connect(this.target);
    this.socket.once('connect', () => {
      this.socket.unref();
      callback();
    });
  }

  dispatchCommand(command, callback) {
    let received = Buffer.alloc(0);
    const onData = (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 10 || received.length < received.readUInt32BE(2)) return;
      this.socket.off('data', onData);
      this.socket.unref();
      callback(null, received);
    };
    this.socket.on('data', onData);
    this.socket.ref();
    this.socket.write(command);
  }

  close() {
    this.socket?.destroy();
  }
}

module.exports = { SwtpmDevice };
