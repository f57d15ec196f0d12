export interface Placed<Item> {
  readonly item: Item;
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  readonly isNamed: boolean;
  /** Where its name is centred: below it, and above in the upper part of the ring. */
  readonly name: { readonly x: number; readonly y: number };
}

const centre = 160;
const namedMax = 10;
const shownMax = 120;

/** Evenly round a circle, from the top on; the more there are the smaller they are, and past a dozen without names. */
export function placesOnRing<Item>(items: readonly Item[], ringRadius: number): readonly Placed<Item>[] {
  const shown = items.slice(0, shownMax);
  const radius = Math.max(2.5, Math.min(12, (Math.PI * ringRadius) / Math.max(1, shown.length) - 5));
  return shown.map((item, at) => {
    const angle = (at / shown.length) * 2 * Math.PI - Math.PI / 2;
    return {
      item,
      x: centre + ringRadius * Math.cos(angle),
      y: centre + ringRadius * Math.sin(angle),
      radius,
      isNamed: shown.length <= namedMax,
      name: {
        x: centre + ringRadius * Math.cos(angle),
        y: centre + ringRadius * Math.sin(angle) + (Math.sin(angle) < -0.3 ? -radius - 12 : radius + 20),
      },
    };
  });
}
