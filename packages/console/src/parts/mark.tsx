const ring = Array.from({ length: 6 }, (_, at) => {
  const angle = (at * Math.PI) / 3 - Math.PI / 2;
  return { x: 12 + 8.2 * Math.cos(angle), y: 12 + 8.2 * Math.sin(angle) };
});

/** The sign of the house: one authority, and verifiers round it. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 24 24" width="22" height="22" aria-hidden="true">
      <circle cx="12" cy="12" r="3.6" />
      {ring.map(({ x, y }) => (
        <circle key={`${x} ${y}`} cx={x} cy={y} r="2" />
      ))}
    </svg>
  );
}
