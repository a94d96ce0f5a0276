/** Enrollments and groups have the same operations under other names; they are written once here. */
import { InvalidArgumentError } from '@endorse/interface';
import type { AttestationMechanism, BulkMode, BulkResult, EnrollmentSettings } from '@endorse/protocol';
import { decodeAttestationMechanism, decodeRowPage } from '@endorse/protocol';
import { checkBulkArguments, runBulk, splitBulk } from './bulk.ts';
import { checkAttestation } from './check-attestation.ts';
import type { PagedQuery, QueryOptions, QueryRow } from './paged-query.ts';
import { createPagedQuery } from './paged-query.ts';
import type { ConditionalRequestOptions, Requester, RequestOptions } from './requests.ts';
import { ifMatchHeader } from './requests.ts';

/** What enrollments and groups have in common. */
export interface EnrollmentLike extends EnrollmentSettings {
  readonly attestation: AttestationMechanism;
}

/**
 * The operations on enrollments, or on groups.
 *
 * All reject with `ServiceError` (its `code`, the service's own `serviceCode`, `trackingId` and a `remedy`),
 * `TransportError`, `ERR_TIMEOUT`, `ERR_REMOTE_…` for an answer that makes no sense, the reason of an aborted signal,
 * and, before anything is sent, `ERR_INVALID_ARGUMENT`.
 */
export interface EnrollmentCollection<Item extends EnrollmentLike> {
  /** Reads one. Keys are not part of it; {@link EnrollmentCollection.getAttestationMechanism} tells them. */
  get(id: string, options?: RequestOptions): Promise<Item>;
  /** Creates one and resolves to it as the service completed it. Rejects with `ERR_SERVICE_CONFLICT` when it exists. */
  create(item: Item, options?: RequestOptions): Promise<Item>;
  /**
   * Replaces one whose etag is still `ifMatch`, by default the etag of the item given, and resolves to it as it is now.
   * Rejects with `ERR_SERVICE_PRECONDITION` when somebody else changed it, and with `ERR_INVALID_ARGUMENT` when there is
   * no etag to go by: pass `ifMatch: '*'` to replace whatever is there.
   */
  update(item: Item, options?: ConditionalRequestOptions): Promise<Item>;
  /** Removes one; only when its etag is still `ifMatch`, if that is given. */
  delete(id: string, options?: ConditionalRequestOptions): Promise<void>;
  /** Reads how its devices prove themselves, keys included. */
  getAttestationMechanism(id: string, options?: RequestOptions): Promise<AttestationMechanism>;
  /**
   * Does the same with any number of items, in requests of ten. Items fail one by one: the result lists those that did.
   * Rejects with `ERR_BULK_INTERRUPTED`, which tells how far it came, when a later request fails as a whole.
   */
  bulk(mode: BulkMode, items: readonly Item[], options?: RequestOptions): Promise<BulkResult>;
  /** Goes through all that match, for example `SELECT * FROM enrollments WHERE provisioningStatus = 'disabled'`; default: all. */
  query(query?: string, options?: QueryOptions): PagedQuery<Item>;
  /** The same for a query that selects fields, as `SELECT registrationId FROM enrollments` does. */
  queryRows(query: string, options?: QueryOptions): PagedQuery<QueryRow>;
}

/** What sets enrollments and groups apart. */
export interface CollectionRules<Item> {
  /** For messages: `enrollment` or `enrollment group`. */
  readonly noun: string;
  readonly argument: string;
  readonly defaultQuery: string;
  readonly idOf: (item: Item) => string;
  readonly target: (kind: 'one' | 'attestation' | 'bulk' | 'query', id?: string) => string;
  readonly encode: (item: Item) => string;
  readonly decode: (body: Uint8Array) => Item;
  readonly decodePage: (body: Uint8Array) => readonly Item[];
  readonly encodeBulk: (mode: BulkMode, items: readonly Item[]) => string;
  readonly decodeBulk: (body: Uint8Array) => BulkResult;
}

/** Makes a collection. */
export function createCollection<Item extends EnrollmentLike>(
  send: Requester,
  rules: CollectionRules<Item>,
): EnrollmentCollection<Item> {
  const { noun, argument, idOf, target } = rules;

  return {
    async get(id, options = {}) {
      const call = { attempted: `read ${noun} ${id}`, method: 'GET', target: target('one', id) } as const;
      return rules.decode((await send({ ...call, isRepeatable: true }, options)).body);
    },
    create: async (item, options = {}) => put('create', item, {}, options),
    async update(item, options = {}) {
      const ifMatch = options.ifMatch ?? item?.etag;
      if (ifMatch === undefined) {
        throw new InvalidArgumentError(
          'options.ifMatch',
          `is missing and the ${noun} has no etag; '*' replaces whatever is there`,
        );
      }
      return put('update', item, ifMatchHeader(ifMatch), options);
    },
    async delete(id, options = {}) {
      const headers = ifMatchHeader(options.ifMatch);
      const call = {
        attempted: `delete ${noun} ${id}`,
        method: 'DELETE',
        target: target('one', id),
        headers,
      } as const;
      await send({ ...call, isRepeatable: false }, options, { hasBody: false });
    },
    async getAttestationMechanism(id, options = {}) {
      const attempted = `read the attestation mechanism of ${noun} ${id}`;
      const call = {
        attempted,
        method: 'POST',
        target: target('attestation', id),
        isRepeatable: true,
      } as const;
      return decodeAttestationMechanism((await send(call, options)).body);
    },
    async bulk(mode, items, options = {}) {
      checkItems(items);
      checkBulkArguments(mode, items.map(idOf));
      const sized = items.map((item) => ({
        item,
        id: idOf(item),
        byteLength: Buffer.byteLength(rules.encode(item)),
      }));
      return runBulk(splitBulk(sized), async (part) => {
        const attempted = `${mode} ${part.length} ${noun}s`;
        const body = rules.encodeBulk(
          mode,
          part.map(({ item }) => item),
        );
        const call = {
          attempted,
          method: 'POST',
          target: target('bulk'),
          body,
          isRepeatable: false,
        } as const;
        return rules.decodeBulk((await send(call, options)).body);
      });
    },
    query: (query = rules.defaultQuery, options = {}) =>
      createPagedQuery(
        send,
        { attempted: `query ${noun}s`, target: target('query'), query, decode: rules.decodePage },
        options,
      ),
    queryRows: (query, options = {}) =>
      createPagedQuery(
        send,
        {
          attempted: `query ${noun}s`,
          target: target('query'),
          query,
          decode: (body) => decodeRowPage(body),
        },
        options,
      ),
  };

  async function put(
    verb: string,
    item: Item,
    headers: Readonly<Record<string, string>>,
    options: RequestOptions,
  ): Promise<Item> {
    check(item);
    const id = idOf(item);
    const body = rules.encode(item);
    const call = {
      attempted: `${verb} ${noun} ${id}`,
      method: 'PUT',
      target: target('one', id),
      headers,
      body,
    } as const;
    return rules.decode((await send({ ...call, isRepeatable: false }, options)).body);
  }

  function checkItems(items: readonly Item[]): void {
    if (!Array.isArray(items)) throw new InvalidArgumentError('items', 'must be an array');
    for (const item of items as readonly Item[]) check(item);
  }

  function check(item: Item): void {
    if (item === null || typeof item !== 'object')
      throw new InvalidArgumentError(argument, 'must be an object');
    checkAttestation(`${argument}.attestation`, item.attestation);
  }
}
