/**
 * Stands in for koffi and tbs.dll: the calls of tbs.h as Microsoft Learn documents them, in plain JavaScript.
 * What it does is chosen by the name of the "library" it is asked to load.
 */
const context = { fake: 'TBS_HCONTEXT' };
const cancelled = Uint8Array.from(Buffer.from('80010000000a00000909', 'hex'));
const random = Uint8Array.from(Buffer.from('80010000001000000000000411223344', 'hex'));

function library(name) {
  let cancelPending = () => undefined;
  const status = /^status:(0x[0-9a-f]+)$/.exec(name)?.[1];
  return {
    Tbsi_GetDeviceInfo: (size, info) => {
      if (size !== 16 || info.byteLength !== 16) throw new TypeError('TPM_DEVICE_INFO has 16 bytes');
      new DataView(info.buffer).setUint32(4, name === 'tpm12' ? 1 : 2, true);
      return 0;
    },
    Tbsi_Context_Create: (parameters, out) => {
      const view = new DataView(parameters.buffer, parameters.byteOffset, parameters.byteLength);
      if (view.getUint32(0, true) !== 2 || view.getUint32(4, true) !== 4)
        throw new TypeError('TBS_CONTEXT_PARAMS2');
      // As a signed number, the way some bindings return a DWORD.
      if (status !== undefined) return Number(status) | 0;
      out[0] = context;
      return 0;
    },
    Tbsip_Submit_Command: (given, locality, priority, command, commandBytes, result, resultBytes, done) => {
      if (given !== context || locality !== 0 || priority !== 200) throw new TypeError('wrong arguments');
      if (commandBytes !== command.byteLength || resultBytes[0] !== result.byteLength)
        throw new TypeError('sizes');
      if (name === 'blocked') {
        done(null, 0x80280400 | 0);
        return;
      }
      if (name === 'crash') process.exit(3);
      const answer = (bytes) => {
        result.set(bytes);
        resultBytes[0] = bytes.byteLength;
        done(null, 0);
      };
      if (name === 'slow') cancelPending = () => answer(cancelled);
      else setImmediate(() => answer(random));
    },
    Tbsip_Cancel_Commands: () => {
      cancelPending();
      return 0;
    },
    Tbsip_Context_Close: (given) => (given === context ? 0 : 0x80284003),
  };
}

export default {
  load: (name) => {
    if (name === 'absent.dll') throw new Error('cannot load absent.dll');
    const functions = library(name);
    return {
      func: (prototype) => {
        const symbol = /(\w+)\(/.exec(prototype)?.[1];
        const implementation = functions[symbol];
        if (implementation === undefined) throw new Error(`no symbol ${symbol}`);
        return Object.assign((...values) => implementation(...values), { async: implementation });
      },
    };
  },
};
