import { type Client, createClient, isKeyswarmError, KeyswarmError } from '@keyswarm/sdk';
import { signal } from '@preact/signals';
import { baseUrl, clientRuntime } from '../runtime/browser.ts';

/*
 * Who is signed in. The management key lives in this page's memory, inside the client, and nowhere else: no storage,
 * no cookie. So a reload asks for it again, and another site has nothing that a browser would send along for it.
 */

export type Session =
  | { readonly state: 'out'; readonly why: string | undefined }
  | { readonly state: 'in'; readonly client: Client };

export const session = signal<Session>({ state: 'out', why: undefined });

/** A reply may be waited for by a person, not by a program: an outage is shown soon. */
const retry = { attemptsMax: 2, deadlineMs: 12_000 };

/** Signs in where the server takes the key; else says why not. */
export async function signIn(managementKey: string): Promise<string | undefined> {
  let client: Client;
  try {
    client = createClient({ baseUrl: baseUrl(), managementKey, retry, runtime: clientRuntime });
  } catch {
    return 'That is not a management key: it has blanks or characters that no key has.';
  }
  try {
    // The page rests on it, so it is what a key has to be able to do at the least.
    for await (const _frame of client.live()) break;
  } catch (error) {
    return isKeyswarmError(error, 'unauthenticated') ? await strangerText(client) : refusalText(error);
  }
  session.value = { state: 'in', client };
  return undefined;
}

export function signOut(why?: string): void {
  session.value = { state: 'out', why };
}

/** A key that opens an access point is a good key, and no management key: whoever has it should not look for a fault in it. */
async function strangerText(client: Client): Promise<string> {
  try {
    const { keyspace } = await client.self.get();
    return `This is a valid key of the keyspace ${keyspace}, and not a management key. Those are in the keyspace keyswarm.`;
  } catch (error) {
    if (!isKeyswarmError(error, 'unauthenticated')) return errorText(error);
    return 'The server does not know this key, or it has expired or was revoked.';
  }
}

function refusalText(error: unknown): string {
  if (isKeyswarmError(error, 'forbidden')) {
    return 'The key is valid, but lacks the scope metrics:read, which watching needs.';
  }
  return errorText(error);
}

/** Something that did not go as asked, said in words that a person may see as they stand. */
export class SaidProblem extends Error {
  override readonly name = 'SaidProblem';
}

/** What went wrong, in a sentence for a person. */
export function errorText(error: unknown): string {
  if (error instanceof SaidProblem) return error.message;
  if (!(error instanceof KeyswarmError)) return 'This page has failed: see the console of the browser.';
  const { code, detail, expected, requestId } = error;
  if (code === 'unauthenticated') {
    return 'Your session has ended: its management key is not valid any more. It has expired, or was revoked or suspended. Sign in with another one.';
  }
  if (code === 'forbidden') return `Your management key lacks the scope ${expected ?? 'that this needs'}.`;
  if (code === 'unreachable') return 'The server can not be reached.';
  const asked = code === 'internal' && requestId !== undefined ? ` (request ${requestId})` : '';
  return `${detail}${asked}`;
}

/** A key that stopped being valid ends the session wherever that is noticed first. */
export function noticeError(error: unknown): string {
  const text = errorText(error);
  if (isKeyswarmError(error, 'unauthenticated') && session.value.state === 'in') signOut(text);
  return text;
}
