export interface RemoteSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: number;
}

const shape = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;
const lengthMax = 512;

/** W3C Trace Context, section 3.2; undefined for whatever isn't one, which is then as if it had not come. */
export function parseTraceparent(text: string | undefined): RemoteSpan | undefined {
  if (text === undefined || text.length > lengthMax || text.startsWith('ff')) return undefined;
  const [, traceId = '', spanId = '', flags = ''] = shape.exec(text) ?? [];
  if (traceId === '' || /^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1 };
}
