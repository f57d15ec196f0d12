import { type Verdict, VerifyConnection, type VerifyTarget } from '../../bound/verify-connection.ts';
import type { History } from '../history/history.ts';
import type { Settlement } from '../history/operation.ts';
import { verifyConnectionsMax } from '../limits.ts';
import type { BookKey } from './key-book.ts';

/** Presents keys to one verifier, and has it written down. */
export class Presenter {
  readonly name: string;
  readonly #target: VerifyTarget;
  readonly #history: History;
  readonly #idle: VerifyConnection[] = [];
  readonly #all: VerifyConnection[] = [];

  constructor(name: string, target: VerifyTarget, history: History) {
    this.name = name;
    this.#target = target;
    this.#history = history;
  }

  /** Undefined: as many as may be are under way, and it was not sent. */
  present(key: BookKey, version: number, isFresh = false): Promise<Settlement> | undefined {
    const secret = key.secrets[version - 1];
    const connection = this.#idle.pop() ?? this.#open();
    if (connection === undefined || secret === undefined) {
      if (connection !== undefined) this.#idle.push(connection);
      this.#history.skip();
      return undefined;
    }
    const minSeq = isFresh ? key.lastSeq : undefined;
    const id = this.#history.invoke({
      kind: 'verify',
      key: key.number,
      keyspace: key.keyspace,
      at: this.name,
      version,
      ...(minSeq === undefined ? {} : { minSeq }),
    });
    return connection.ask(secret, key.keyspace, minSeq).then((verdict) => {
      this.#idle.push(connection);
      const settlement = settlementOf(verdict);
      this.#history.settle(id, settlement, verdict.receivedAtMs);
      return settlement;
    });
  }

  close(): void {
    for (const connection of this.#all) connection.close();
  }

  #open(): VerifyConnection | undefined {
    if (this.#all.length >= verifyConnectionsMax) return undefined;
    const connection = new VerifyConnection(this.#target);
    this.#all.push(connection);
    return connection;
  }
}

function settlementOf({ status, code }: Verdict): Settlement {
  return { outcome: status === 0 ? 'unknown' : status === 200 ? 'ok' : 'fail', status, code };
}
