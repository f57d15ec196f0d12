import { useEffect, useState } from 'preact/hooks';
import { Mark } from '../parts/mark.tsx';
import { session, signIn } from '../session/session.ts';

/** Asks for a management key. The form is never submitted: its key goes into memory, and into no address. */
export function SignInPage({ handedKey }: { readonly handedKey: string | undefined }) {
  const current = session.value;
  const [key, setKey] = useState('');
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const [isBusy, setBusy] = useState(handedKey !== undefined);

  const enter = async (wanted: string): Promise<void> => {
    setBusy(true);
    setProblem(undefined);
    const why = await signIn(wanted.trim());
    setBusy(false);
    if (why !== undefined) setProblem(why);
  };
  useEffect(() => {
    if (handedKey !== undefined && current.state === 'out' && current.why === undefined)
      void enter(handedKey);
  }, [handedKey]);
  const shown = problem ?? (current.state === 'out' ? current.why : undefined);

  return (
    <main class="sign-in">
      <form
        class="sign-in-card"
        onSubmit={(event) => {
          event.preventDefault();
          void enter(key);
        }}
      >
        <div class="wordmark large">
          <Mark />
          Keyswarm
        </div>
        <h1>Sign in</h1>
        <p class="muted">
          With a management key. It stays in the memory of this page: a reload asks for it again.
        </p>
        <label class="field">
          <span>Management key</span>
          <input
            type="password"
            name="management-key"
            autocomplete="current-password"
            spellcheck={false}
            placeholder="keyswarm_…"
            value={key}
            onInput={(event) => setKey(event.currentTarget.value)}
            aria-invalid={shown !== undefined}
            aria-describedby={shown === undefined ? undefined : 'sign-in-problem'}
            autofocus
            required
          />
        </label>
        {shown !== undefined && (
          <p class="note danger" id="sign-in-problem" role="alert">
            {shown}
          </p>
        )}
        <button type="submit" class="button primary wide" disabled={isBusy || key.trim() === ''}>
          {isBusy ? 'Signing in …' : 'Sign in'}
        </button>
        <p class="hint">
          The first start of a server prints one. Issue narrower ones for people: one with the scopes
          metrics:read, keys:read, keyspaces:read, owners:read, events:read, campaigns:read, approvals:read,
          webhooks:read and dead_letters:read sees everything and changes nothing.
        </p>
      </form>
    </main>
  );
}
