/*
 * Capacity: the highest rate with which the server keeps up, found by trying rates under an open load. It starts from
 * what came out of a closed loop, which is near it, and halves the distance between the highest rate that was kept up
 * with and the lowest that was not.
 */

export interface Probe {
  readonly perSecond: number;
  readonly goodputPerSecond: number;
  readonly p99Ms: number;
}

export interface CapacityOptions {
  /** Probes, at the most. */
  readonly probesMax: number;
  /** Stop when both sides are nearer than this. */
  readonly ratioMax: number;
}

/** Nearly all in time, and none of the last hundredth waits for half a second: the queue is not growing. */
export const keptUpShareMin = 0.98;
export const keptUpP99MsMax = 500;

export function keepsUp({ perSecond, goodputPerSecond, p99Ms }: Probe): boolean {
  return goodputPerSecond >= keptUpShareMin * perSecond && p99Ms <= keptUpP99MsMax;
}

export interface Capacity {
  /** Undefined where no rate that was tried was kept up with. */
  readonly perSecond: number | undefined;
  readonly probes: readonly Probe[];
}

export async function findCapacity(
  firstPerSecond: number,
  probe: (perSecond: number) => Promise<Probe>,
  { probesMax, ratioMax }: CapacityOptions,
): Promise<Capacity> {
  const probes: Probe[] = [];
  let kept: number | undefined;
  let lost: number | undefined;
  let rate = firstPerSecond;
  while (probes.length < probesMax) {
    const found = await probe(rate);
    probes.push(found);
    if (keepsUp(found)) kept = rate;
    else lost = rate;
    if (kept !== undefined && lost !== undefined && lost / kept < ratioMax) break;
    rate = nextRate(kept, lost);
  }
  return { perSecond: kept, probes };
}

function nextRate(kept: number | undefined, lost: number | undefined): number {
  if (kept === undefined) return (lost ?? 1) * 0.75;
  if (lost === undefined) return kept * 1.5;
  return (kept + lost) / 2;
}
