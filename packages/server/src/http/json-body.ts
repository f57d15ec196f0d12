import { isUtf8 } from 'node:buffer';
import { Fault } from '@keyswarm/core';
import type { FastifyInstance } from 'fastify';
import { checkJsonShape } from './json-shape.ts';
import { checkSignedBody } from './signed-management.ts';

/*
 * How a body becomes a value. JSON only; text that isn't UTF-8 is refused instead of being read with replacement
 * characters (two different bodies would become one), and so are members that would reach an object's prototype.
 * Where a member stands twice the last one counts, as ECMAScript has it: everything behind this point, the hash for
 * the Idempotency-Key too, sees that one value.
 */
export function acceptJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
    const coding = request.headers['content-encoding'];
    let value: unknown;
    let failure: Fault | null = null;
    try {
      if (request.signedHead !== null) checkSignedBody(request.signedHead, bytes);
      if (coding !== undefined && coding !== 'identity') throw compressed();
      value = bytes.length === 0 ? undefined : parseJson(bytes);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      failure = error;
    }
    done(failure, value);
  });
}

/** The value of a body; throws the Fault of what is wrong with it. */
export function parseJson(bytes: Buffer): unknown {
  checkJsonShape(bytes);
  if (!isUtf8(bytes)) throw invalidJson('The body is not valid UTF-8.');
  const text = bytes.toString('utf8');
  try {
    const value: unknown = JSON.parse(text);
    if (!isHarmless(text)) refuseReservedNames(value);
    return value;
  } catch (error) {
    throw error instanceof Fault
      ? error
      : invalidJson(`The body can not be read as JSON${placeIn(error, text)}.`);
  }
}

/**
 * Where the parser gave up, if it says so, and nothing else of its message: that may quote the text, which may hold a
 * secret. A message that quotes never ends with a position, so no number in the text is taken for one.
 */
function placeIn(error: unknown, text: string): string {
  const message = error instanceof Error ? error.message : '';
  if (message === 'Unexpected end of JSON input') return ': it ends too early';
  const position = / JSON at position (\d+)(?: \(line \d+ column \d+\))?$/.exec(message)?.[1];
  if (position === undefined) return '';
  const before = text.slice(0, Number(position)).split('\n');
  return ` from line ${before.length}, character ${(before.at(-1) ?? '').length + 1} on`;
}

/** Names neither prototype nor constructor, and holds no escape in which one of them could hide. */
function isHarmless(text: string): boolean {
  return !(text.includes('__proto__') || text.includes('constructor') || text.includes('\\u'));
}

/** One visit of each value, by the parser's result: a reviver is called for every number and costs thirty times that. */
function refuseReservedNames(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const item of value) refuseReservedNames(item);
    return;
  }
  if (Object.hasOwn(value, '__proto__')) throw reservedName('__proto__');
  for (const [name, member] of Object.entries(value)) {
    const reachesPrototype =
      name === 'constructor' &&
      typeof member === 'object' &&
      member !== null &&
      Object.hasOwn(member, 'prototype');
    if (reachesPrototype) throw reservedName(name);
    refuseReservedNames(member);
  }
}

function reservedName(name: string): Fault {
  return new Fault('unknown_field', {
    detail: 'A member of the body has a reserved name.',
    field: `/${name}`,
    expected: 'only members that the operation knows',
  });
}

function invalidJson(detail: string): Fault {
  return new Fault('invalid_json', { detail, expected: 'one JSON object in UTF-8' });
}

function compressed(): Fault {
  return new Fault('unsupported_media_type', {
    detail: 'Compressed bodies are not accepted.',
    field: 'Content-Encoding',
    expected: 'no Content-Encoding',
  });
}
