/*
 * A number that few records have, such as a not-before: pages of 1,024 doubles, made when the first record of a
 * page needs one. A record says with a bit of its own whether it has an entry, so absence is never looked up.
 */

const pageBits = 10;
const pageRecords = 1 << pageBits;

export class SideColumn {
  readonly #pages: (Float64Array | undefined)[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get(record: number): number {
    return this.#pages[record >>> pageBits]?.[record & (pageRecords - 1)] ?? Number.NaN;
  }

  set(record: number, value: number): void {
    const at = record >>> pageBits;
    while (this.#pages.length <= at) this.#pages.push(undefined);
    let page = this.#pages[at];
    if (page === undefined) {
      page = new Float64Array(pageRecords);
      this.#pages[at] = page;
      this.#bytes += page.byteLength;
    }
    page[record & (pageRecords - 1)] = value;
  }
}
