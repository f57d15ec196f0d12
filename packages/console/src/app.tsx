import { useEffect } from 'preact/hooks';
import { startWatching, stopWatching } from './live/live-store.ts';
import { SignInPage } from './pages/sign-in-page.tsx';
import { Shell } from './parts/shell.tsx';
import { session } from './session/session.ts';

/** Either a person is signed in and sees the house, or signs in. */
export function App({ handedKey }: { readonly handedKey: string | undefined }) {
  const current = session.value;
  const client = current.state === 'in' ? current.client : undefined;
  useEffect(() => {
    if (client === undefined) return;
    startWatching(client);
    return stopWatching;
  }, [client]);
  if (client === undefined) return <SignInPage handedKey={handedKey} />;
  return <Shell client={client} />;
}
