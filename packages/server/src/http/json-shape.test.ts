import { describe, expect, test } from 'vitest';
import { jsonDepthMax, jsonTokensMax, jsonUncountedBytesMax } from '../limits.ts';
import { parseJson } from './json-body.ts';

const bytesOf = (text: string): Buffer => Buffer.from(text, 'utf8');
const refusal = (text: string): object => {
  try {
    parseJson(bytesOf(text));
    return {};
  } catch (error) {
    return error as object;
  }
};

describe('a body of JSON', () => {
  // One bracket and a comma between any two: as many tokens as there are values.
  const listOf = (values: number) => `[${'0,'.repeat(values - 1)}0]`;

  test('holds as many values as may be, and not one more', () => {
    expect(parseJson(bytesOf(listOf(jsonTokensMax)))).toHaveLength(jsonTokensMax);
    expect(refusal(listOf(jsonTokensMax + 1))).toMatchObject({
      code: 'invalid_json',
      expected: `at most ${jsonTokensMax} values`,
    });
  });

  test.each([
    ['{"a":1,}', ' from line 1, character 8 on'],
    ['{"a":1,\n  b: 2}', ' from line 2, character 3 on'],
    ['{"a":', ': it ends too early'],
    ['{"a": no JSON at position 5', ''],
    [`{"a":"secret in JSON at position 5" 'secret'}`, ' from line 1, character 37 on'],
  ])('that is none says where, and repeats nothing of it: %s', (text, where) => {
    expect(refusal(text)).toMatchObject({
      code: 'invalid_json',
      message: `The body can not be read as JSON${where}.`,
    });
  });

  test('is counted through objects and brackets that hold nothing, too', () => {
    const empty = `[${'{},[],'.repeat(jsonTokensMax / 4)}0]`;
    expect(refusal(empty)).toMatchObject({ code: 'invalid_json' });
  });

  test('may hold any text: what stands in a string is not counted, nor is an escaped quote its end', () => {
    const text = `\\",[{${','.repeat(jsonTokensMax + 1)}`;
    expect(parseJson(bytesOf(`["${text}"]`))).toEqual([text.replace('\\"', '"')]);
  });

  test('nests as deep as may be, and no deeper', () => {
    const pad = ' '.repeat(jsonUncountedBytesMax);
    const nested = (depth: number) => `${pad}${'['.repeat(depth)}${']'.repeat(depth)}`;
    expect(refusal(nested(jsonDepthMax))).toEqual({});
    expect(refusal(nested(jsonDepthMax + 1))).toMatchObject({
      code: 'invalid_json',
      expected: `at most ${jsonDepthMax} levels`,
    });
  });
});
