/** Series of one scrape, by name and labels as they stand in the text. */
export type Scrape = ReadonlyMap<string, number>;

export function parseScrape(text: string): Scrape {
  const series = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const space = line.lastIndexOf(' ');
    series.set(line.slice(0, space), Number(line.slice(space + 1)));
  }
  return series;
}

export async function scrape(url: string): Promise<Scrape> {
  const response = await fetch(`${url}/metrics`).catch(() => undefined);
  // A server elsewhere may not show its metrics; then there are none to tell.
  if (response === undefined || response.status !== 200) {
    await response?.arrayBuffer();
    return new Map();
  }
  return parseScrape(await response.text());
}

/** What the server says of a stretch of load. */
export interface ServerView {
  /** By verdict, without those that did not come. */
  readonly verdicts: Readonly<Record<string, number>>;
  /** By the bound that was reached. */
  readonly shed: Readonly<Record<string, number>>;
  readonly laneRefused: Readonly<Record<string, number>>;
  readonly internalErrors: number;
  readonly laneDepth: number | null;
  readonly feedLagRows: number | null;
  readonly leaseAgeSeconds: number | null;
  readonly eventLoopDelayP99Ms: number | null;
  /** Writes that shared a transaction, on average. */
  readonly writesPerBatch: number | null;
}

export function viewBetween(before: Scrape, after: Scrape): ServerView {
  const gauge = (name: string): number | null => after.get(name) ?? null;
  const grown = (name: string): number => (after.get(name) ?? 0) - (before.get(name) ?? 0);
  const byLabel = (family: string): Record<string, number> => {
    const found: Record<string, number> = {};
    for (const name of after.keys()) {
      const label = name.startsWith(`${family}{`) ? /="([^"]*)"/.exec(name)?.[1] : undefined;
      const count = label === undefined ? 0 : grown(name);
      if (label !== undefined && count > 0) found[label] = count;
    }
    return found;
  };
  const batches = grown('keyswarm_lane_batch_writes_count');
  const delay = gauge('keyswarm_event_loop_delay_p99_seconds');
  return {
    verdicts: byLabel('keyswarm_verifications_total'),
    shed: byLabel('keyswarm_shed_total'),
    laneRefused: byLabel('keyswarm_lane_refused_total'),
    internalErrors: grown('keyswarm_internal_errors_total'),
    laneDepth: gauge('keyswarm_lane_depth'),
    feedLagRows: gauge('keyswarm_feed_lag_rows'),
    leaseAgeSeconds: gauge('keyswarm_lease_age_seconds'),
    eventLoopDelayP99Ms: delay === null ? null : delay * 1000,
    writesPerBatch: batches > 0 ? grown('keyswarm_lane_batch_writes_sum') / batches : null,
  };
}
