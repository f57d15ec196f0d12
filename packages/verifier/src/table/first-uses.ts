import { firstUsesWaitingMax } from '../limits.ts';
import type { KeyUse } from '../uses/key-use.ts';
import { Queue } from '../uses/queue.ts';
import { NumberSet } from './number-set.ts';

/*
 * The first use here of the new version of a key that is rotating: the proof that it was deployed. A fact that tells of
 * a rotation has its newest version expected, and the first acceptance ends that; so verification asks one bit, and
 * of a fleet at rest there are none. Told again by a table that was loaded anew, and by every later fact of the key:
 * whoever keeps them keeps the first.
 */
export class FirstUses {
  readonly #expected = new NumberSet();
  readonly #waiting = new Queue<KeyUse>();

  /** Whether the next acceptance of this record is one to tell of. */
  expect(record: number, is: boolean): void {
    if (is) this.#expected.add(record);
    else this.#expected.delete(record);
  }

  isExpected(record: number): boolean {
    return this.#expected.has(record);
  }

  /** The record was accepted, as was expected. Past the bound it stays expected, and the next acceptance is told of. */
  note(record: number, use: KeyUse): void {
    if (this.#waiting.size >= firstUsesWaitingMax) return;
    this.#expected.delete(record);
    this.#waiting.add(use);
  }

  take(countMax: number): readonly KeyUse[] {
    const taken: KeyUse[] = [];
    while (taken.length < countMax) {
      const use = this.#waiting.take();
      if (use === undefined) break;
      taken.push(use);
    }
    return taken;
  }

  /** Takes over what waits to be told. */
  adopt(from: FirstUses): void {
    for (let use = from.#waiting.take(); use !== undefined; use = from.#waiting.take())
      this.#waiting.add(use);
  }
}
