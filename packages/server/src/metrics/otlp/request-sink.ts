/** Hears of each request when it ends. */
export interface RequestSink {
  request(ended: EndedRequest): void;
}

export interface EndedRequest {
  readonly operation: string;
  /** 0: the client went away before it was answered. */
  readonly status: number;
  readonly durationMs: number;
  /** The caller's own, as it came: W3C Trace Context. */
  readonly traceparent: string | undefined;
}
