/** What is wrong with the store, or with the way to it. All of it may change at any instant. */
export class StoreWeather {
  /** It can't be reached by anybody. */
  isDown = false;
  /** It is up, and nobody but its operator is let in: between a promotion and the new epoch. */
  isOperatorsOnly = false;
  /** Raised when all sessions end. */
  session = 1;
  /** Machines that can't reach it. */
  readonly cutOff = new Set<string>();
  /** One way of a trip, ms. */
  tripMsMax = 1.5;
  /** Of the commits: given up for another's sake (40001). */
  conflictShare = 0;
  /** Of the commits: the session breaks before it takes effect, or after, and nobody hears which. */
  brokenCommitShare = 0;

  clear(): void {
    this.isDown = false;
    this.isOperatorsOnly = false;
    this.cutOff.clear();
    this.tripMsMax = 1.5;
    this.conflictShare = 0;
    this.brokenCommitShare = 0;
  }
}
