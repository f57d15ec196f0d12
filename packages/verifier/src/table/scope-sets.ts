import { assert, type CompiledScopes, compileScopes } from '@keyswarm/core';

interface ScopeSet {
  readonly text: string;
  /** Frozen: every verdict on a key of this set carries the same list. */
  readonly scopes: readonly string[];
  /** Made when a scope is first asked of the set: fleets have sets that nobody ever asks. */
  compiled: CompiledScopes | undefined;
  /**
   * The last single scope that was asked of it and covered. An access point asks for the same one all day, and
   * telling that it is the same costs a tenth of finding out again whether it is covered.
   */
  lastCovered: string | undefined;
  references: number;
}

/** Sets of scopes, each once, by index, as long as a version points at them. */
export class ScopeSets {
  readonly #indices = new Map<string, number>();
  readonly #sets: (ScopeSet | undefined)[] = [];
  readonly #free: number[] = [];

  get size(): number {
    return this.#indices.size;
  }

  /** `scopes` come sorted and without duplicates, so that equal sets are equal texts; no scope holds a space. */
  acquire(scopes: readonly string[]): number {
    const text = scopes.join(' ');
    let index = this.#indices.get(text);
    if (index === undefined) {
      index = this.#free.pop() ?? this.#sets.length;
      this.#indices.set(text, index);
      this.#sets[index] = {
        text,
        scopes: Object.freeze([...scopes]),
        compiled: undefined,
        lastCovered: undefined,
        references: 0,
      };
    }
    this.#set(index).references += 1;
    return index;
  }

  release(index: number): void {
    const set = this.#set(index);
    set.references -= 1;
    if (set.references > 0) return;
    this.#indices.delete(set.text);
    this.#sets[index] = undefined;
    this.#free.push(index);
  }

  scopes(index: number): readonly string[] {
    return this.#set(index).scopes;
  }

  /**
   * At least one scope is required here. A caller without types may pass an empty variable, or a set for a list:
   * what isn't a scope is covered by nothing, not even by `*`, because the worse error is a check that checks nothing.
   */
  coversAll(index: number, required: readonly string[]): boolean {
    const set = this.#set(index);
    const first = required[0];
    if (!(required.length > 0) || !first) return false;
    if (required.length === 1 && first === set.lastCovered) return true;
    set.compiled ??= compileScopes(set.scopes);
    for (let at = 0; at < required.length; at += 1) {
      const scope = required[at];
      if (!scope || !set.compiled.covers(scope)) return false;
    }
    set.lastCovered = first;
    return true;
  }

  #set(index: number): ScopeSet {
    const set = this.#sets[index];
    assert(set !== undefined, 'a record points at a scope set that is there');
    return set;
  }
}
