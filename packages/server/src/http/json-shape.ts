import { Fault } from '@keyswarm/core';
import { jsonDepthMax, jsonTokensMax, jsonUncountedBytesMax } from '../limits.ts';

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/**
 * Bounds what a parser will have to build, by one look at each byte (8 MB: about 15 ms): how deep the text nests and
 * how many values it holds. Whether it is JSON at all is the parser's question.
 */
export function checkJsonShape(bytes: Uint8Array): void {
  if (bytes.length <= jsonUncountedBytesMax) return;
  let depth = 0;
  let tokens = 0;
  let inString = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (inString) {
      if (byte === backslash) at += 1;
      else if (byte === quote) inString = false;
    } else if (byte === quote) {
      inString = true;
    } else if (byte === openBracket || byte === openBrace) {
      depth += 1;
      tokens += 1;
      if (depth > jsonDepthMax) throw tooLarge('nests too deep', `at most ${jsonDepthMax} levels`);
    } else if (byte === closeBracket || byte === closeBrace) {
      depth -= 1;
    } else if (byte === comma) {
      tokens += 1;
    }
    if (tokens > jsonTokensMax) throw tooLarge('holds too many values', `at most ${jsonTokensMax} values`);
  }
}

function tooLarge(what: string, expected: string): Fault {
  return new Fault('invalid_json', { detail: `The body ${what}.`, expected });
}
