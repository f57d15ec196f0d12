import { closeSync, openSync, writeSync } from 'node:fs';
import { historyBufferBytesMax, operationsMax } from '../limits.ts';
import { monotonicMs, monotonicOf } from './clock.ts';
import type { FaultMark, Invocation, Operation, Settlement } from './operation.ts';

/*
 * What was asked and what came back, in the order in which it happened. Each line of the file is one half of an operation, written
 * when it happens: an `invoke` without its other half is an operation whose outcome nobody knows.
 */

interface Ports {
  readonly nowMs: () => number;
  readonly wallMs: () => number;
}

const systemPorts: Ports = { nowMs: monotonicMs, wallMs: () => Date.now() };

/** In place of an operation's number, once there is no room for one. */
const notTaken = -1;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export class History {
  readonly #operations: Mutable<Operation>[] = [];
  readonly #faults: FaultMark[] = [];
  readonly #ports: Ports;
  readonly #file: number | undefined;
  #buffer = '';
  #notSent = 0;
  #isClosed = false;
  #isFull = false;

  /** Without a path it is held in memory alone. */
  constructor(path?: string, ports: Ports = systemPorts) {
    this.#ports = ports;
    this.#file = path === undefined ? undefined : openSync(path, 'w', 0o600);
  }

  get size(): number {
    return this.#operations.length;
  }

  get faults(): readonly FaultMark[] {
    return this.#faults;
  }

  /** Something was asked that is not in it: then it proves nothing. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** Due, and never sent, because too much was under way: no operation, but told. */
  get notSent(): number {
    return this.#notSent;
  }

  skip(): void {
    this.#notSent += 1;
  }

  /** `sentAtMs`: by `performance.now()`, where the instant is known better than now. */
  invoke(invocation: Invocation, sentAtMs?: number): number {
    if (this.#operations.length >= operationsMax) {
      this.#isFull = true;
      return notTaken;
    }
    const id = this.#operations.length;
    const invokedMs = sentAtMs === undefined ? this.#ports.nowMs() : monotonicOf(sentAtMs);
    const invokedWallMs = this.#ports.wallMs();
    const opened = { id, invokedMs, invokedWallMs, ...invocation };
    this.#operations.push({
      ...opened,
      settledMs: Number.POSITIVE_INFINITY,
      outcome: 'unknown',
      status: 0,
      code: '',
    });
    this.#write({ e: 'invoke', ...opened });
    return id;
  }

  settle(id: number, settlement: Settlement, receivedAtMs?: number): void {
    if (id === notTaken) return;
    const operation = this.#operations[id];
    if (operation === undefined) throw new Error(`there is no operation ${id}`);
    // What comes after the end belongs to nobody: the checker is at work on it already.
    if (this.#isClosed) return;
    const settledMs = receivedAtMs === undefined ? this.#ports.nowMs() : monotonicOf(receivedAtMs);
    Object.assign(operation, settlement);
    // Unknown stays unknown: its effect may come at any time after.
    operation.settledMs = settlement.outcome === 'unknown' ? Number.POSITIVE_INFINITY : settledMs;
    this.#write({ e: settlement.outcome, id, settledMs, ...settlement });
  }

  beginFault(fault: Pick<FaultMark, 'name' | 'affects' | 'recoverWithinMs'>): FaultMark {
    const forever = Number.POSITIVE_INFINITY;
    const mark = { ...fault, beganMs: this.#ports.nowMs(), endedMs: forever, recoveredMs: forever };
    this.#faults.push(mark);
    this.#write({ e: 'fault', name: mark.name, affects: mark.affects, beganMs: mark.beganMs });
    return mark;
  }

  endFault(mark: FaultMark): void {
    mark.endedMs = this.#ports.nowMs();
    this.#write({ e: 'healed', name: mark.name, endedMs: mark.endedMs });
  }

  recovered(mark: FaultMark): void {
    mark.recoveredMs = this.#ports.nowMs();
    this.#write({ e: 'recovered', name: mark.name, recoveredMs: mark.recoveredMs });
  }

  operations(): readonly Operation[] {
    return this.#operations;
  }

  /** Ends it: what comes later is not taken any more. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#flush();
    if (this.#file !== undefined) closeSync(this.#file);
  }

  #write(line: object): void {
    if (this.#file === undefined || this.#isClosed) return;
    this.#buffer += `${JSON.stringify(line)}\n`;
    if (this.#buffer.length >= historyBufferBytesMax) this.#flush();
  }

  #flush(): void {
    if (this.#file !== undefined && this.#buffer !== '') writeSync(this.#file, this.#buffer);
    this.#buffer = '';
  }
}
