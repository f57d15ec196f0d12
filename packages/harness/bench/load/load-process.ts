import { type LoadOptions, runLoad } from './raw-load.ts';

/* The generator in a process of its own, so that it doesn't share an event loop with what it measures. */
process.on('message', (message: Omit<LoadOptions, 'requests'> & { requests: readonly string[] }) => {
  const requests = message.requests.map((text) => Buffer.from(text, 'latin1'));
  runLoad({ ...message, requests }).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
