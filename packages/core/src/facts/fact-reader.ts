import { bytesOfHex } from '../encoding/hex.ts';
import { parseId } from '../ids/id-codec.ts';
import type { IdKind, IdKinds } from '../ids/ids.ts';
import { timeMsMax } from '../limits/limits.ts';
import { isStorableText, isWithinLength } from '../text/check-text.ts';
import { isPlainObject } from './event-data.ts';

export type Fields = Readonly<Record<string, unknown>>;

const noFields: Fields = Object.freeze({});

/**
 * Reads members of untrusted JSON one by one and remembers the first that is wrong. It never throws and always
 * returns something of the right type, so that reading code is straight; whoever reads looks at `problem` once,
 * at the end, and drops what was read if there is one. `problem` names the member, never its value.
 */
export class FactReader {
  problem: string | undefined = undefined;

  refuse(problem: string): void {
    this.problem ??= problem;
  }

  check(holds: boolean, problem: string): void {
    if (!holds) this.refuse(problem);
  }

  /**
   * An object with exactly these members, and perhaps some of the `optional` ones: an unknown one might be a
   * restriction that this reader can't apply.
   */
  object(value: unknown, where: string, names: readonly string[], optional: readonly string[] = []): Fields {
    if (!isPlainObject(value)) {
      this.refuse(`${where} is not an object`);
      return noFields;
    }
    for (const name of names) this.check(Object.hasOwn(value, name), `${where}.${name} is missing`);
    const expected = names.length + optional.filter((name) => Object.hasOwn(value, name)).length;
    this.check(Object.keys(value).length === expected, `${where} has a member that is not known`);
    return value;
  }

  list(value: unknown, where: string, max: number): readonly unknown[] {
    if (Array.isArray(value) && value.length <= max) return value;
    this.refuse(`${where} is not a list of at most ${max}`);
    return [];
  }

  integer(value: unknown, where: string, min: number, max: number): number {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max)
      return value;
    this.refuse(`${where} is not a whole number from ${min} to ${max}`);
    return min;
  }

  revision(value: unknown, where: string): number {
    return this.integer(value, where, 1, Number.MAX_SAFE_INTEGER);
  }

  timeMs(value: unknown, where: string): number {
    return this.integer(value, where, 0, timeMsMax);
  }

  timeMsOrNull(value: unknown, where: string): number | null {
    return value === null ? null : this.timeMs(value, where);
  }

  text(value: unknown, where: string, max: number): string {
    if (typeof value === 'string' && isWithinLength(value, max) && isStorableText(value)) return value;
    this.refuse(`${where} is not a text of at most ${max} characters`);
    return '';
  }

  oneOf<const Choice extends string>(
    value: unknown,
    where: string,
    choices: readonly [Choice, ...Choice[]],
  ): Choice {
    const found = choices.find((choice) => choice === value);
    if (found === undefined) this.refuse(`${where} is none of ${choices.length} known values`);
    return found ?? choices[0];
  }

  bytes(value: unknown, where: string, length: number): Uint8Array {
    const bytes = typeof value === 'string' ? bytesOfHex(value, length) : undefined;
    if (bytes === undefined) this.refuse(`${where} is not ${length} bytes in lower-case hexadecimal`);
    return bytes ?? new Uint8Array(length);
  }

  id<Kind extends IdKind>(kind: Kind, value: unknown, where: string): IdKinds[Kind] {
    const id = typeof value === 'string' ? parseId(kind, value) : undefined;
    if (id === undefined) this.refuse(`${where} is not an id of kind ${kind}`);
    return id ?? ('' as IdKinds[Kind]);
  }
}
