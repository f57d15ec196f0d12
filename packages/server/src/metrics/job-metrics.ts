import { Counter, Histogram, type Registry } from 'prom-client';
import type { JobObserver } from '../workflows/queue-workers.ts';

/** Jobs that this process did, by their kinds, which are constants of the rooms that own the work. */
export function jobMetrics(registry: Registry): JobObserver {
  const registers = [registry];
  const attempts = new Counter({
    registers,
    name: 'keyswarm_job_attempts_total',
    help: 'Attempts at jobs, by kind and outcome.',
    labelNames: ['job', 'outcome'],
  });
  const seconds = new Histogram({
    registers,
    name: 'keyswarm_job_duration_seconds',
    help: 'How long an attempt at a job took, by kind.',
    labelNames: ['job'],
    buckets: [0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300, 900],
  });
  return {
    attempted(job, outcome, durationMs) {
      attempts.inc({ job, outcome });
      seconds.observe({ job }, durationMs / 1000);
    },
  };
}
