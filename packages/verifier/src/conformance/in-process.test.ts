import { openInProcess } from './testing/in-process-transport.ts';
import { describeTransport } from './transport.conformance.ts';

describeTransport('in process', {
  open: (authority) => openInProcess(authority),
  hurry: 0.1,
  runs: 15,
  file: 'packages/verifier/src/conformance/in-process.test.ts',
});
