/** One imperative sentence for an error answer of the service API; undefined when nothing useful is known. */
export function remedyFor(status: number, serviceCode?: number): string | undefined {
  return (serviceCode === undefined ? undefined : byCode[serviceCode]) ?? byStatus[status];
}

const byCode: Readonly<Record<number, string>> = {
  404201: 'Check the registration id: there is no such enrollment.',
  404202: 'Wait until the device has registered: there is no record of it.',
  404204: 'Check the enrollment group id: there is no such group.',
};

const byStatus: Readonly<Record<number, string>> = {
  400: 'Compare the request with what the message says.',
  401: 'Check host, policy name and key of the connection string, the rights of the policy, and the clock of this machine.',
  403: 'Use a shared access policy that has the right this takes.',
  404: 'Check that the host is the service API, and that the record exists.',
  409: 'Read the record, and update it with its etag if it is to be replaced.',
  412: 'Read the record again and repeat the change with its new etag.',
  413: 'Make the request smaller: the service accepts 96 KiB.',
  429: 'Wait as long as the answer says and send fewer requests a minute.',
};
