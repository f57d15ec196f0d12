export interface ScheduledEvent {
  readonly atMs: number;
  /** Among those of one instant. */
  readonly order: number;
  /** Undefined: called off. */
  run: (() => void) | undefined;
}

/** A binary heap: the earliest event first. */
export class EventHeap {
  readonly #events: ScheduledEvent[] = [];

  push(event: ScheduledEvent): void {
    const events = this.#events;
    let at = events.length;
    events.push(event);
    while (at > 0) {
      const parentAt = (at - 1) >>> 1;
      const parent = events[parentAt];
      if (parent === undefined || !comesBefore(event, parent)) break;
      events[at] = parent;
      at = parentAt;
    }
    events[at] = event;
  }

  /** The next event that was not called off, if it is due by then. */
  popUntil(endMs: number): ScheduledEvent | undefined {
    for (;;) {
      const first = this.#events[0];
      if (first === undefined || first.atMs > endMs) return undefined;
      this.#removeFirst();
      if (first.run !== undefined) return first;
    }
  }

  #removeFirst(): void {
    const events = this.#events;
    const last = events.pop();
    if (last === undefined || events.length === 0) return;
    let at = 0;
    for (;;) {
      const leftAt = 2 * at + 1;
      const left = events[leftAt];
      if (left === undefined) break;
      const right = events[leftAt + 1];
      const childAt = right !== undefined && comesBefore(right, left) ? leftAt + 1 : leftAt;
      const child = events[childAt];
      if (child === undefined || !comesBefore(child, last)) break;
      events[at] = child;
      at = childAt;
    }
    events[at] = last;
  }
}

function comesBefore(a: ScheduledEvent, b: ScheduledEvent): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
