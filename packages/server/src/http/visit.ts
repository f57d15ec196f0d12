import type { ServerResponse } from 'node:http';
import type { RequestSink } from '../metrics/otlp/request-sink.ts';
import { ServerMetrics, type ShedReason } from '../metrics/server-metrics.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Admission, Budget, Place } from './admission.ts';

/** What a visit reports to when it ends. */
export interface VisitKeepers {
  readonly admission: Admission;
  readonly metrics: ServerMetrics;
  readonly clock: Clock;
}

const visitOf = Symbol('visit');
type Visited = ServerResponse & { [visitOf]?: Visit };

/**
 * One request from its head to the close of its response. Ends exactly once, whether it was answered or the
 * client went away: Node emits `close` in both cases, where `finish` would never come for the second.
 */
export class Visit {
  place: Place | undefined;
  readonly #keepers: VisitKeepers;
  readonly #operationPlace: number;
  readonly #startedMs: number;

  constructor(keepers: VisitKeepers, operationPlace: number) {
    this.#keepers = keepers;
    this.#operationPlace = operationPlace;
    this.#startedMs = keepers.clock.monotonicMs();
  }

  /** Begins a visit that ends with this response. One listener for all, so that none is made a request. */
  static begin(response: ServerResponse, keepers: VisitKeepers, operationPlace: number): Visit {
    const visit = new Visit(keepers, operationPlace);
    (response as Visited)[visitOf] = visit;
    response.on('close', endVisit);
    return visit;
  }

  /** A place for what was let begin without one; the bound that was reached, if it gets none. */
  static takePlace(response: ServerResponse, budget: Budget, bodyBytes: number): ShedReason | undefined {
    const visit = (response as Visited)[visitOf];
    // The client went away.
    if (visit === undefined) return undefined;
    const place = visit.#keepers.admission.enter(budget, bodyBytes);
    if (typeof place === 'string') return place;
    visit.place = place;
    return undefined;
  }

  /** It is no request under way any more: what holds it open from here on has a bound of its own. */
  static giveUpPlace(response: ServerResponse): void {
    const visit = (response as Visited)[visitOf];
    if (visit?.place === undefined) return;
    visit.#keepers.admission.leave(visit.place);
    visit.place = undefined;
  }

  end(response: ServerResponse): void {
    const { admission, metrics, clock } = this.#keepers;
    if (this.place !== undefined) admission.leave(this.place);
    this.place = undefined;
    const status = response.writableFinished ? response.statusCode : 0;
    const durationMs = clock.monotonicMs() - this.#startedMs;
    metrics.request(this.#operationPlace, status, durationMs);
    if (metrics.requestSink !== undefined) this.#tell(metrics.requestSink, response, { status, durationMs });
  }

  #tell(
    sink: RequestSink,
    response: ServerResponse,
    ended: { readonly status: number; readonly durationMs: number },
  ): void {
    const { traceparent } = response.req.headers;
    const operation = ServerMetrics.nameOf(this.#operationPlace);
    sink.request({
      ...ended,
      operation,
      traceparent: typeof traceparent === 'string' ? traceparent : undefined,
    });
  }
}

function endVisit(this: ServerResponse): void {
  const visited = this as Visited;
  const visit = visited[visitOf];
  visited[visitOf] = undefined as never;
  visit?.end(this);
}
