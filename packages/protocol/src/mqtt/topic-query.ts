import { malformed } from '../json/malformed.ts';

/** Longest topic or user name, in characters; the hub's own limit on a property bag is far below. */
export const maxTopicLength = 65_535;

/** A topic of the service, `path/?key=value&…`, cut apart. Values are as they were sent. */
export interface TopicParts {
  /** Without the slash before the question mark. */
  readonly path: string;
  readonly query: ReadonlyMap<string, string>;
}

/** Cuts a topic apart; one without a question mark has an empty query. Throws `ERR_REMOTE_TOO_LARGE`. */
export function splitTopic(topic: string): TopicParts {
  if (topic.length > maxTopicLength) {
    const problem = `has ${topic.length} characters, more than ${maxTopicLength}`;
    throw malformed('topic', 'topic', problem, { code: 'ERR_REMOTE_TOO_LARGE' });
  }
  const questionMark = topic.indexOf('?');
  const path = questionMark < 0 ? topic : topic.slice(0, questionMark);
  return {
    path: path.replace(/\/$/, ''),
    query: readQuery(questionMark < 0 ? '' : topic.slice(questionMark + 1)),
  };
}

/** Reads `key=value&…`; names in lower case, of two the first counts. Values are as they were sent. */
export function readQuery(text: string): ReadonlyMap<string, string> {
  const query = new Map<string, string>();
  for (const part of text.split('&')) {
    const equals = part.indexOf('=');
    const name = (equals < 0 ? part : part.slice(0, equals)).toLowerCase();
    if (name !== '' && !query.has(name)) query.set(name, equals < 0 ? '' : part.slice(equals + 1));
  }
  return query;
}

/** The request id of a topic, as it was sent. Throws `ERR_REMOTE_MALFORMED` when it is missing or no 1 to 128 printable ASCII characters. */
export function requireRequestId({ query }: TopicParts): string {
  const requestId = query.get('$rid') ?? '';
  const problem = findRequestIdProblem(requestId);
  if (problem !== undefined) throw malformed('topic', '$rid', problem, { sample: requestId });
  return requestId;
}

/** What is wrong with a request id; undefined when nothing is. Clients count, or make up GUIDs; it is only ever repeated. */
export function findRequestIdProblem(requestId: string): string | undefined {
  return /^[!"$%'-*,-.0->@-~]{1,128}$/.test(requestId)
    ? undefined
    : 'must have 1 to 128 printable ASCII characters but & # + / ?';
}

/** Undoes percent-encoding. Throws `ERR_REMOTE_MALFORMED`. */
export function decodePercent(path: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw malformed('topic', path, 'is not valid percent-encoding', { sample: text });
  }
}
