import { type JsonObject, shardsMax } from '@keyswarm/core';
import type { Heads } from '../feed/feed-source.ts';
import { BadFrame } from './bad-frame.ts';

const encoder = new TextEncoder();

export function jsonPayload(value: JsonObject): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

/** Members of a payload in JSON, each checked as it is taken. Whatever is wrong throws `BadFrame`. */
export class PayloadFields {
  readonly #where: string;
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(where: string, payload: Uint8Array) {
    this.#where = where;
    this.#fields = objectOf(where, payload);
  }

  /** Exactly these members; those in `optional` may be there, too. */
  only(names: readonly string[], optional: readonly string[] = []): this {
    const given = Object.keys(this.#fields);
    const missing = names.find((name) => !given.includes(name));
    if (missing !== undefined) throw new BadFrame(`${this.#where}.${missing} is missing`);
    if (!given.every((name) => names.includes(name) || optional.includes(name)))
      throw new BadFrame(`${this.#where} has a member that is not known`);
    return this;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#fields, name);
  }

  whole(name: string, max = Number.MAX_SAFE_INTEGER): number {
    return wholeNumber(this.#fields[name], `${this.#where}.${name}`, max);
  }

  list(name: string): readonly unknown[] {
    const value = this.#fields[name];
    if (!Array.isArray(value)) throw new BadFrame(`${this.#where}.${name} is not a list`);
    return value;
  }

  /** Absent or null: undefined. */
  text(name: string, lengthMax: number): string | undefined {
    const value = this.#fields[name] ?? null;
    if (value === null) return undefined;
    if (typeof value === 'string' && value.length <= lengthMax) return value;
    throw new BadFrame(`${this.#where}.${name} is not a text of at most ${lengthMax} characters`);
  }

  /** Ms, not below 0, with fractions; null: undefined. */
  ageMs(name: string): number | undefined {
    const value = this.#fields[name];
    if (value === null) return undefined;
    if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
    throw new BadFrame(`${this.#where}.${name} is not an age`);
  }

  heads(): Heads {
    const where = `${this.#where}.seqs`;
    const seqs = this.list('seqs').map((seq) => wholeNumber(seq, where, Number.MAX_SAFE_INTEGER));
    if (seqs.length < 1 || seqs.length > shardsMax)
      throw new BadFrame(`${where} is not of 1 to ${shardsMax} shards`);
    return { epoch: this.whole('epoch'), seqs };
  }
}

function objectOf(where: string, payload: Uint8Array): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload));
  } catch {
    throw new BadFrame(`the ${where} is not JSON`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new BadFrame(`the ${where} is not an object`);
  return value as Readonly<Record<string, unknown>>;
}

function wholeNumber(value: unknown, where: string, max: number): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= max) return value;
  throw new BadFrame(`${where} is not a whole number from 0 to ${max}`);
}
