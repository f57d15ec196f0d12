/* A server that gave no answer: what is said of it, by every command and by `doctor`. */

/** What happened, with the address that was asked. */
export function detailOf(url: string, error: unknown): string {
  if (speaksNoTls(url, error)) return `${url} can not be reached: the server there does not answer by TLS`;
  const why = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
  return `${url} can not be reached${why}`;
}

/** What to do about it; undefined where the server is there, and its certificate is not accepted. */
export function remedyOf(url: string, error: unknown): string | undefined {
  if (speaksNoTls(url, error)) return `this server may speak http: try ${url.replace('https:', 'http:')}`;
  if (isInChain(error, ({ code }) => /CERT|ISSUER|VERIFY/.test(code ?? ''))) return undefined;
  return 'start one with `keyswarm start`, or say where it is with --url or KEYSWARM_URL';
}

/** Was TLS spoken to a server that has none? OpenSSL takes the first bytes of its answer for the version of a record. */
function speaksNoTls(url: string, error: unknown): boolean {
  return (
    url.startsWith('https:') &&
    isInChain(error, ({ message }) => /wrong version number|packet length too long/.test(message))
  );
}

/** Does it hold for the error or for what lies behind it? `fetch failed` has a cause, and an error of the SDK has one, too. */
function isInChain(error: unknown, holds: (error: NodeJS.ErrnoException) => boolean): boolean {
  return error instanceof Error && (holds(error) || isInChain(error.cause, holds));
}
