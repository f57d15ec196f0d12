import { type OpenLoadOptions, runOpenLoad } from './open-load.ts';

/* The open-loop generator in a process of its own, so that it doesn't share an event loop with who measures. */
process.on('message', (message: Omit<OpenLoadOptions, 'requests'> & { requests: readonly string[] }) => {
  const requests = message.requests.map((text) => Buffer.from(text, 'latin1'));
  runOpenLoad({ ...message, requests }).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
