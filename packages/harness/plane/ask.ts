export interface Question {
  readonly method?: string;
  readonly body?: unknown;
  /** Sent as it stands, in place of `body`. */
  readonly raw?: string | Uint8Array<ArrayBuffer>;
  /** A management key. */
  readonly as?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Empty where the reply was no JSON object. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** One HTTP request, as anybody would send it. */
export async function ask(url: string, question: Question = {}): Promise<Reply> {
  const body = question.raw ?? (question.body === undefined ? undefined : JSON.stringify(question.body));
  const response = await fetch(url, {
    method: question.method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      ...(question.as === undefined ? {} : { authorization: `Bearer ${question.as}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...question.headers,
    },
    signal: AbortSignal.timeout(question.timeoutMs ?? 30_000),
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: objectOf(text) };
}

/** Whom to ask: a server or a node, and the management key to ask with. */
export interface Desk {
  readonly url: string;
  readonly managementKey: string;
}

export interface VerifyQuestion {
  readonly key: string;
  readonly keyspace?: string;
  readonly scopes?: readonly string[];
  readonly min_seq?: string;
}

export function verify(desk: Desk, question: VerifyQuestion): Promise<Reply> {
  return ask(`${desk.url}/v1/keys/verify`, { body: question, as: desk.managementKey });
}

/** The verdict's code; for anything but a verdict, the status and the code of the problem. */
export async function codeOf(desk: Desk, question: VerifyQuestion): Promise<string> {
  const reply = await verify(desk, question);
  return reply.status === 200 ? String(reply.body.code) : `${reply.status} ${String(reply.body.code)}`;
}

function objectOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
