/** Options that say what the device proves itself with: a TPM, a symmetric key, or a certificate. */
export const identityOptions = {
  tpm: {
    type: 'string',
    value: 'URL',
    summary: 'TPM that is the identity, for example device:///dev/tpmrm0',
  },
  'symmetric-key-env': {
    type: 'string',
    value: 'VAR',
    summary: 'environment variable with the key that is the identity, in base64',
  },
  'x509-cert': {
    type: 'string',
    value: 'FILE',
    summary: 'PEM certificate that is the identity, with its issuers',
  },
  'x509-key': { type: 'string', value: 'FILE', summary: 'private key of the certificate, in PEM' },
  'x509-passphrase-env': {
    type: 'string',
    value: 'VAR',
    summary: 'environment variable with the passphrase of that key',
  },
  'registration-id': {
    type: 'string',
    value: 'ID',
    summary: 'required with a symmetric key; default: of the TPM or the certificate',
  },
} as const;
