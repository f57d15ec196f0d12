import type { CloudEvent } from '@keyswarm/contract';
import type { Client } from '@keyswarm/sdk';
import { useEffect, useRef, useState } from 'preact/hooks';
import { clockText, instantText } from '../format/times.ts';
import { Badge, Empty, Id, Problem, type Tone } from '../parts/basics.tsx';
import { PageHead } from '../parts/shell.tsx';
import { followEvents, shownEventsMax } from './follow-events.ts';

const groups = ['all', 'key', 'owner', 'keyspace', 'campaign', 'approval', 'webhook'] as const;

/** What happened and happens, the newest first: every change there is, with who made it. */
export function EventsPage({ client }: { readonly client: Client }) {
  const [events, setEvents] = useState<readonly CloudEvent[] | undefined>(undefined);
  // A pause is gone on from where it began, so that nothing is left out in silence.
  const cursor = useRef<string | undefined>(undefined);
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const [isPaused, setPaused] = useState(false);
  const [group, setGroup] = useState<(typeof groups)[number]>('all');
  useEffect(() => {
    if (isPaused) return;
    const stop = new AbortController();
    void followEvents(client, stop.signal, {
      after: cursor.current,
      onEvents: (fresh, place) => {
        cursor.current = place;
        setEvents((known = []) => [...fresh.toReversed(), ...known].slice(0, shownEventsMax));
      },
      onProblem: setProblem,
    });
    return () => stop.abort();
  }, [client, isPaused]);
  const shown = events?.filter(({ type }) => group === 'all' || nameOf(type).startsWith(`${group}.`));
  return (
    <>
      <PageHead
        title="Events"
        lead="Every change leaves one, and one audit record. The newest first, as it happens."
      >
        <label class="field inline">
          <span>Of</span>
          <select value={group} onChange={(event) => setGroup(event.currentTarget.value as typeof group)}>
            {groups.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <button type="button" class="button" onClick={() => setPaused(!isPaused)} aria-pressed={isPaused}>
          {isPaused ? 'Follow again' : 'Pause'}
        </button>
      </PageHead>
      {problem !== undefined && <Problem text={problem} />}
      {shown === undefined && problem === undefined && <p class="muted">Looking for what happened last …</p>}
      {shown?.length === 0 && (
        <Empty title={group === 'all' ? 'Nothing yet' : `Nothing of ${group} among the newest`}>
          What changes from now on shows here.
        </Empty>
      )}
      <ul class="events">
        {shown?.map((event) => (
          <Row key={event.id} event={event} />
        ))}
      </ul>
    </>
  );
}

function Row({ event }: { readonly event: CloudEvent }) {
  const name = nameOf(event.type);
  return (
    <li class="event">
      <details>
        <summary>
          <time class="num muted" dateTime={event.time} title={instantText(event.time)}>
            {clockText(event.time)}
          </time>
          <Badge tone={toneOf(name)}>{name}</Badge>
          <Id id={event.subject} />
          <span class="muted clip">{briefOf(event.data)}</span>
        </summary>
        <pre class="mono">{JSON.stringify(event.data, null, 2)}</pre>
        {event.subject.startsWith('key_') && <a href={`#/keys/${event.subject}`}>Look at the key</a>}
      </details>
    </li>
  );
}

const nameOf = (type: string): string => type.replace(/^dev\.keyswarm\./, '');

function toneOf(name: string): Tone {
  if (/revoked|denied|deleted|aborted/.test(name)) return 'danger';
  if (/suspended|paused|expir|retired/.test(name)) return 'warn';
  return /issued|created|approved|resumed|rotated|exchanged/.test(name) ? 'ok' : 'idle';
}

/** A few words of what the event says; the rest is behind it. */
function briefOf(data: Readonly<Record<string, unknown>>): string {
  const said = ['name', 'reason', 'version', 'external_id'].flatMap((field) => {
    const value = data[field];
    return typeof value === 'string' || typeof value === 'number' ? [`${field} ${value}`] : [];
  });
  return said.join(', ');
}
