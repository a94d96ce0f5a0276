/**
 * Bounds on everything that arrives. Every one is far above what the service
 * sends and far below what would hurt a small device.
 */

/** Largest answer body a decoder accepts unless told otherwise, in bytes: 1 MiB. */
export const maxResponseBytes = 1_048_576;

/** Largest request body, in bytes: 96 KiB, the service's own message limit. */
export const maxRequestBytes = 98_304;

/** Largest page of a query's rows, in bytes: 16 MiB. */
export const maxPageBytes = 16_777_216;

/** Deepest nesting of a JSON body; objects and arrays count one level each. */
export const maxJsonDepth = 64;

/** Longest SAS token, in characters; real ones stay below 400. */
export const maxSasTokenLength = 4096;

/** Largest activation blob, in bytes; real ones have 858 to 956, RSA-4096 keys would give about 1,500. */
export const maxActivationBlobBytes = 8192;

/** Largest TPM2B_PUBLIC, in bytes, size prefix included; RSA-4096 has 572. */
export const maxTpmPublicBytes = 2048;

/** Longest request target, in characters. */
export const maxTargetLength = 4096;

/** Longest operation id, in characters; real ones have 55. */
export const maxOperationIdLength = 256;
