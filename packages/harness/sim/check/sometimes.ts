/*
 * What has to have happened for a run to mean something. A set of seeds in which one of these never came about has shown
 * less than it says, and fails.
 */
export const sometimesNames = [
  'stale was answered',
  'a new epoch was followed',
  'a snapshot was taken because rows were gone',
  'a shard was quarantined',
  'a revocation fell into a pause',
  'a commit of unknown outcome had taken place',
  'a commit of unknown outcome had not taken place',
  'a retry got its kept reply',
  'a campaign went on after its server was killed',
  'a campaign ended',
  'a server was killed with writes under way',
  'a relay of a region served',
  'a verifier began from its disk',
  'a refusal waited for news',
  'an old version was refused its end because it was in use',
  'an old version was refused its end because a verifier was not heard of',
  'a rotation was finished on evidence',
  'a rotation settled by itself',
  'a wall clock was set back',
  'a machine slept',
  'a key was accepted after its end was committed, within its lease',
  'a verifier moved to another relay',
  'a transaction was given up for another',
  'a push was lost',
  'a lease was lowered',
] as const;

export type Sometimes = (typeof sometimesNames)[number];

export class SometimesCounts {
  readonly #counts = new Map<Sometimes, number>();

  note(name: Sometimes, count = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + count);
  }

  count(name: Sometimes): number {
    return this.#counts.get(name) ?? 0;
  }

  addAll(other: SometimesCounts): void {
    for (const [name, count] of other.#counts) this.note(name, count);
  }

  get missing(): readonly Sometimes[] {
    return sometimesNames.filter((name) => this.count(name) === 0);
  }
}
