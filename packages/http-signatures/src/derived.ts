import { queryPairsMax } from './limits.ts';
import { isResponse, type Message, type RequestMessage } from './message.ts';
import { SignatureProblem } from './signature-problem.ts';

/* Derived components: RFC 9421 section 2.2. One row a component; each reads the request line by line as it was sent. */

interface UrlParts {
  readonly scheme: string;
  readonly authority: string;
  readonly path: string;
  /** With its `?`; undefined: there is none. */
  readonly query: string | undefined;
}

type Parameters = ReadonlyMap<string, string | true>;
type Derive = (request: RequestMessage, parameters: Parameters) => string;

const ofRequest: Readonly<Record<string, Derive>> = {
  '@method': ({ method }) => method,
  '@target-uri': ({ url }) => {
    partsOf(url);
    return url;
  },
  '@authority': ({ url }) => authorityOf(partsOf(url)),
  '@scheme': ({ url }) => partsOf(url).scheme,
  '@request-target': ({ url }) => {
    const { path, query = '' } = partsOf(url);
    return path + query;
  },
  '@path': ({ url }) => partsOf(url).path,
  '@query': ({ url }) => partsOf(url).query ?? '?',
  '@query-param': ({ url }, parameters) => queryParameter(partsOf(url).query ?? '?', parameters.get('name')),
};

export function isDerivedName(name: string): boolean {
  return name === '@status' || Object.hasOwn(ofRequest, name);
}

export function derivedValue(message: Message, name: string, parameters: Parameters): string {
  if (isResponse(message)) {
    if (name === '@status') return String(message.status);
    throw new SignatureProblem('component_missing', `${name} of a response`);
  }
  const derive = Object.hasOwn(ofRequest, name) ? ofRequest[name] : undefined;
  if (derive === undefined) throw new SignatureProblem('component_missing', `${name} of a request`);
  return derive(message, parameters);
}

const urlShape = /^([a-zA-Z][a-zA-Z0-9+.-]*):\/\/([^/?#]*)([^?#]*)(\?[^#]*)?$/;

function partsOf(url: string): UrlParts {
  const [, scheme, authority, path, query] = urlShape.exec(url) ?? [];
  if (scheme === undefined || authority === undefined || authority === '')
    throw new SignatureProblem('component_value', 'the target is not an absolute URI without a fragment');
  return {
    scheme: scheme.toLowerCase(),
    authority,
    path: path === undefined || path === '' ? '/' : path,
    query,
  };
}

const defaultPorts: Readonly<Record<string, string>> = { http: ':80', https: ':443' };

/** In lower case, without user information, and without the port that goes without saying. */
function authorityOf({ scheme, authority }: UrlParts): string {
  const host = authority.slice(authority.lastIndexOf('@') + 1).toLowerCase();
  const port = defaultPorts[scheme];
  return port !== undefined && host.endsWith(port) ? host.slice(0, -port.length) : host;
}

/** Section 2.2.8: decoded as a form is, encoded again in one way; a name that stands twice names nothing. */
function queryParameter(query: string, wanted: string | true | undefined): string {
  if (typeof wanted !== 'string')
    throw new SignatureProblem('component_unknown', '@query-param without a name');
  const pairs = query.slice(1).split('&', queryPairsMax + 1);
  if (pairs.length > queryPairsMax)
    throw new SignatureProblem('too_large', 'the query has too many parameters');
  const values = pairs
    .map((pair) => {
      const equalsAt = pair.indexOf('=');
      return equalsAt === -1 ? [pair, ''] : [pair.slice(0, equalsAt), pair.slice(equalsAt + 1)];
    })
    .filter(([name = '']) => reencoded(name) === wanted);
  if (values.length > 1) throw new SignatureProblem('ambiguous', 'a query parameter stands more than once');
  const [found] = values;
  if (found === undefined) throw new SignatureProblem('component_missing', 'a query parameter is not there');
  return reencoded(found[1] ?? '');
}

function reencoded(text: string): string {
  try {
    const plain = decodeURIComponent(text.replaceAll('+', ' '));
    return encodeURIComponent(plain).replace(
      /[!'()*]/g,
      (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
    );
  } catch {
    throw new SignatureProblem('component_value', 'the query is not percent-encoded UTF-8');
  }
}
