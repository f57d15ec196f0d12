import type { KeyspaceReply } from '@keyswarm/contract';
import { useState } from 'preact/hooks';
import type { KeyQuestion } from './find-keys.ts';

const states = ['active', 'pending', 'suspended', 'revoked', 'expired'];

export function KeyFilter(props: {
  readonly question: KeyQuestion;
  readonly keyspaces: readonly KeyspaceReply[];
  readonly onChange: (question: KeyQuestion) => void;
}) {
  const { question, keyspaces, onChange } = props;
  const [search, setSearch] = useState(question.search);
  return (
    <search>
      <form
        class="filters"
        onSubmit={(event) => {
          event.preventDefault();
          onChange({ ...question, search });
        }}
      >
        <label class="field grow">
          <span>Find</span>
          <input
            type="search"
            value={search}
            spellcheck={false}
            placeholder="key_…, own_…, service:billing"
            onInput={(event) => setSearch(event.currentTarget.value)}
          />
        </label>
        <label class="field">
          <span>Keyspace</span>
          <select
            value={question.keyspace}
            onChange={(event) => onChange({ ...question, search, keyspace: event.currentTarget.value })}
          >
            <option value="">Any</option>
            {keyspaces.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          <span>State</span>
          <select
            value={question.state}
            onChange={(event) => onChange({ ...question, search, state: event.currentTarget.value })}
          >
            <option value="">Any</option>
            {states.map((state) => (
              <option key={state} value={state}>
                {state}
              </option>
            ))}
          </select>
        </label>
        <button type="submit" class="button">
          Find
        </button>
      </form>
    </search>
  );
}
