import type { Runtime } from '../runtime/runtime.ts';

/*
 * The authority as one holder sees it, in memory: one key, its window, its grace, and the two ways back after a crash.
 * It answers as `fetch` does. What it is not: the rules themselves, which core and the server's own suite hold.
 */

const lifeMs = 900_000;
export const windowMs = { opens: 600_000, closes: 700_000 };

interface Version {
  secret: string;
  readonly number: number;
  mintedMs: number;
  retiresMs: number;
  used: boolean;
}

export class FakeAuthority {
  readonly asked: string[] = [];
  /** Set: requests fail so. Given the answer that would have come. */
  trouble: ((answer: () => Response, name: string) => Response | Promise<Response>) | undefined;
  versions: Version[];
  #expiresMs: number;
  #made = 1;
  readonly #replies = new Map<string, Response>();
  readonly #runtime: Runtime;

  constructor(runtime: Runtime, secret = 'orders_1') {
    this.#runtime = runtime;
    const nowMs = runtime.wallMs();
    this.#expiresMs = nowMs + lifeMs;
    this.versions = [{ secret, number: 1, mintedMs: nowMs, retiresMs: Number.POSITIVE_INFINITY, used: true }];
  }

  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const name = new URL(url).pathname.replace('/v1/keys/', '');
    const headers = new Headers(init.headers);
    const secret = (headers.get('authorization') ?? '').replace('Bearer ', '');
    this.asked.push(name);
    const answer = () => this.#answer(name, secret, headers.get('idempotency-key') ?? '');
    return this.trouble === undefined ? answer() : await this.trouble(answer, name);
  };

  get newest(): Version {
    const newest = this.versions.at(-1);
    if (newest === undefined) throw new Error('there is always a version');
    return newest;
  }

  #answer(name: string, secret: string, idempotencyKey: string): Response {
    const nowMs = this.#runtime.wallMs();
    const version = this.versions.find((each) => each.secret === secret && nowMs < each.retiresMs);
    if (version === undefined || nowMs >= this.#expiresMs) return problem(401, 'unauthenticated');
    version.used = true;
    if (name === 'self')
      return Response.json({ id: 'key_1', version: version.number, ...this.#told(version) });
    const kept = this.#replies.get(idempotencyKey);
    if (kept !== undefined) return kept.clone();
    const reply = this.#renew(version, nowMs);
    if (reply.ok) this.#replies.set(idempotencyKey, reply.clone());
    return reply;
  }

  #renew(version: Version, nowMs: number): Response {
    const { newest } = this;
    if (version === newest) {
      if (nowMs < newest.mintedMs + windowMs.opens)
        return problem(409, 'renew_too_early', { 'retry-after': '60' });
      version.retiresMs = Math.min(nowMs + 300_000, this.#expiresMs);
      this.versions = [version, { ...this.#mint(nowMs), number: version.number + 1 }];
    } else {
      if (newest.used) return problem(409, 'version_superseded');
      if (nowMs < newest.mintedMs + 15_000) return problem(409, 'renew_too_early', { 'retry-after': '15' });
      this.versions = [version, { ...this.#mint(nowMs), number: newest.number }];
    }
    this.#expiresMs = nowMs + lifeMs;
    return Response.json({
      id: 'key_1',
      version: this.newest.number,
      secret: this.newest.secret,
      previous: { version: version.number, retires_at: textOf(version.retiresMs) },
      ...this.#told(this.newest),
    });
  }

  #mint(nowMs: number): Version {
    this.#made += 1;
    const secret = `orders_${this.#made}`;
    return { secret, number: 0, mintedMs: nowMs, retiresMs: Number.POSITIVE_INFINITY, used: false };
  }

  #told(version: Version): object {
    const isNewest = version === this.newest;
    return {
      state: isNewest ? 'active' : 'grace',
      expires_at: textOf(Math.min(this.#expiresMs, version.retiresMs)),
      renew_after: isNewest ? textOf(version.mintedMs + windowMs.opens) : null,
      renew_by: isNewest ? textOf(version.mintedMs + windowMs.closes) : null,
    };
  }
}

function textOf(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

export function problem(status: number, code: string, headers: Record<string, string> = {}): Response {
  return Response.json({ code, status, title: code, detail: code }, { status, headers });
}
