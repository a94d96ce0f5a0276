/** Names and numbers of the provisioning service on AMQP. */

/** Port of AMQP over TLS. */
export const amqpPort = 5671;

/** Sub-protocol of AMQP over WebSockets (OASIS AMQP WebSocket binding, in its older spelling, which the service uses). */
export const amqpWebSocketProtocol = 'AMQPWSB10';

/** Path of the service's WebSockets, for AMQP and MQTT. */
export const webSocketPath = '/$iothub/websocket';

/** Names in application properties of messages. */
export const amqpProperties = {
  operationType: 'iotdps-operation-type',
  operationId: 'iotdps-operation-id',
  forceRegistration: 'iotdps-forceRegistration',
  status: 'iotdps-status',
} as const;

/** Values of {@link amqpProperties.operationType}. */
export const amqpOperations = {
  register: 'iotdps-register',
  getOperationStatus: 'iotdps-get-operationstatus',
  getRegistration: 'iotdps-get-registration',
} as const;

/** Names in the properties of links. */
export const amqpLinkProperties = {
  apiVersion: 'com.microsoft:api-version',
  clientVersion: 'com.microsoft:client-version',
} as const;

/** The pause in application properties of an answer and in the info of an error: C# reads one, all others the other. */
export const amqpRetryAfterNames: readonly string[] = Object.freeze(['retry-after', 'Retry-After']);
