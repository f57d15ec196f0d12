import type { ServerConfig } from '../config/config-schema.ts';
import type { Log } from '../logging/log.ts';
import { openOtlp } from '../metrics/otlp/open-otlp.ts';
import type { ServerMetrics } from '../metrics/server-metrics.ts';
import { systemClock } from '../runtime/clock.ts';
import { systemRandom } from '../runtime/random.ts';
import type { Closing } from './close-in-order.ts';
import { readVersion } from './read-version.ts';

type Settings = Pick<ServerConfig, 'otlpEndpoint' | 'otlpIntervalMs' | 'otlpTracesPerThousand'>;

/** Sends what this process counts to a collector, where one is set. Of several workers each sends its own. */
export async function openTelemetry(
  { otlpEndpoint, otlpIntervalMs, otlpTracesPerThousand }: Settings,
  {
    metrics,
    log,
    closing,
  }: { readonly metrics: ServerMetrics; readonly log: Log; readonly closing: Closing },
): Promise<void> {
  if (otlpEndpoint === null) return;
  const otlp = await openOtlp({
    endpoint: otlpEndpoint,
    intervalMs: otlpIntervalMs,
    tracesPerThousand: otlpTracesPerThousand,
    version: readVersion(),
    instance: Buffer.from(systemRandom.bytes(8)).toString('hex'),
    families: () => metrics.families(),
    clock: systemClock,
    log,
  });
  metrics.requestSink = otlp.sink;
  closing.add('telemetry', () => otlp.close());
}
