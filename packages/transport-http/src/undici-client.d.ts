// undici declares no types for the file of its Client; the class is the one its index exports.
declare module 'undici/lib/dispatcher/client.js' {
  const Client: typeof import('undici').Client;
  export default Client;
}
