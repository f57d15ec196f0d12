import { openHttp } from './testing/http-transport.ts';
import { describeTransport } from './transport.conformance.ts';

const hurry = 0.2;

describeTransport('over HTTP', {
  open: (authority) => openHttp(authority, hurry),
  hurry,
  runs: 5,
  file: 'packages/verifier/src/conformance/http.test.ts',
});
