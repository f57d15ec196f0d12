/** Cursors go forward; the way back is remembered by whoever shows the pages. */
export function Pager(props: {
  readonly page: number;
  readonly next: string | null;
  readonly onBack: () => void;
  readonly onNext: (cursor: string) => void;
}) {
  const { page, next } = props;
  if (page === 1 && next === null) return null;
  return (
    <nav class="pager" aria-label="Pages of the list">
      <button type="button" class="button small" disabled={page === 1} onClick={props.onBack}>
        Back
      </button>
      <span class="muted num">page {page}</span>
      <button
        type="button"
        class="button small"
        disabled={next === null}
        onClick={() => {
          if (next !== null) props.onNext(next);
        }}
      >
        Next
      </button>
    </nav>
  );
}
