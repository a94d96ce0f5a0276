/** A self-signed certificate of `x509-device` and its key, made with OpenSSL for these tests and used nowhere else. */
export const certificatePem = `-----BEGIN CERTIFICATE-----
MIIBgzCCASmgAwIBAgIUJ2TnfxCz3rGu97XK7wW5dP3WFiAwCgYIKoZIzj0EAwIw
FjEUMBIGA1UEAwwLeDUwOS1kZXZpY2UwIBcNMjYxMTIyMjMwMzQ2WhgPMjEyNjEw
MjkyMzAzNDZaMBYxFDASBgNVBAMMC3g1MDktZGV2aWNlMFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAEnqoZlUkwJnQ8j7B3jpGJJBRVUAaS+gFCOTPJ/Iji7cc8DfyZ
hJTtWpyod9FebPdWjkyJ5Dq2jKcd2xHYfHv/BqNTMFEwHQYDVR0OBBYEFLvF9sLy
yXKNoWXyAuAgLJeaEjy/MB8GA1UdIwQYMBaAFLvF9sLyyXKNoWXyAuAgLJeaEjy/
MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgYWgNkElv2k8BMoER
qlWzmmehtcaIHyRu4sWVzrR5uOQCIQC+QQnZDS6MnzfV4VIo3MnSJ2u16sI75wq/
TQzgvHm0wQ==
-----END CERTIFICATE-----
`;

/** The key of the certificate. */
export const privateKeyPem = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgmGXG2Zip1+/BEH8X
D1zuYeR6NS7OSxxhGF3Z8FzqdeShRANCAASeqhmVSTAmdDyPsHeOkYkkFFVQBpL6
AUI5M8n8iOLtxzwN/JmElO1anKh30V5s91aOTInkOraMpx3bEdh8e/8G
-----END PRIVATE KEY-----
`;
