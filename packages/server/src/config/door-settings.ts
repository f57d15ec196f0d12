import { choice, optionalText, whole } from './setting.ts';

/* What every process that has a door lets in, and how long: the same for a server and for a verify-only node. */

export const logSettings = {
  logLevel: choice(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
    about: 'The least severe level that is logged.',
    byDefault: 'info',
  }),
};

export const telemetrySettings = {
  otlpEndpoint: optionalText({
    about:
      'An OpenTelemetry collector that metrics and traces are sent to (OTLP over HTTP). Nothing of it is loaded without. `OTEL_EXPORTER_OTLP_HEADERS` gives it credentials.',
    expected: 'https://host:4318 or http://…',
    pattern: '^https?://[^\\s@]+$',
    byDefault: null,
  }),
  otlpIntervalMs: whole(1_000, 600_000, {
    about: 'How often metrics are sent to the collector.',
    byDefault: 15_000,
  }),
  otlpTracesPerThousand: whole(0, 1_000, {
    about: 'Requests of a thousand whose traces are sent to the collector.',
    byDefault: 10,
  }),
};

export const requestSettings = {
  requestsInFlightMax: whole(8, 100_000, {
    about: 'Requests that may be under way at once; more are refused with 503.',
    byDefault: 4096,
  }),
  callerInFlightMax: whole(1, 100_000, {
    about: 'Requests of one management key that may be under way at once; more are refused with 429.',
    byDefault: 1024,
  }),
};

export const connectionSettings = {
  socketsMax: whole(8, 100_000, { about: 'Connections that may be open at once.', byDefault: 8192 }),
  listenSockets: whole(1, 64, {
    about:
      'Listening sockets of a process on its port (Linux): a turn of its event loop takes one new connection of each.',
    byDefault: 16,
  }),
  headersTimeoutMs: whole(100, 600_000, {
    about: 'How long a client may take to send the head of a request.',
    byDefault: 10_000,
  }),
  requestTimeoutMs: whole(100, 600_000, {
    about: 'How long a client may take to send a whole request.',
    byDefault: 30_000,
  }),
  keepAliveTimeoutMs: whole(100, 600_000, {
    about: 'How long an idle connection is kept; longer than the idle time of the proxy in front.',
    byDefault: 72_000,
  }),
};
