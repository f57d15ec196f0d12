import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { component } from './component.ts';
import { digestAlgorithms, formatContentDigest, readContentDigest } from './content-digest.ts';
import { fieldsOfPairs, fieldsOfRawHeaders, type RequestMessage } from './message.ts';
import {
  claimsContent,
  isRefused,
  isSigned,
  readSignature,
  type SignatureProfile,
} from './read-signature.ts';
import { buildSignatureBase } from './signature-base.ts';
import { formatSignature } from './signature-fields.ts';

const profile: SignatureProfile = {
  tag: 'test',
  components: ['@method', '@target-uri'],
  componentsWithContent: ['content-digest'],
  lifetimeSecondsMax: 60,
  nonceLengthMin: 16,
  nonceLengthMax: 64,
  keyIdLengthMax: 64,
};
const good =
  'sig=("@method" "@target-uri");created=1000;expires=1060;nonce="0123456789abcdef";keyid="k";tag="test"';
const bytes = 'sig=:AAAA:';

function message(
  input = good,
  signature = bytes,
  more: readonly (readonly [string, string])[] = [],
): RequestMessage {
  return {
    method: 'POST',
    url: 'https://api.example/a?b=c',
    fields: fieldsOfPairs([['Signature-Input', input], ['Signature', signature], ...more]),
  };
}

function reasonOf(given: RequestMessage, hasContent = false): string {
  const read = readSignature(given, profile, hasContent);
  return isRefused(read) ? read.reason : 'read';
}

const swap = (part: string, other: string) => good.replace(part, other);

describe('reading a signature', () => {
  it('gives what is signed and what it says of itself', () => {
    const read = readSignature(message(), profile, false);
    expect(read).toMatchObject({ keyId: 'k', created: 1000, expires: 1060, algorithmClaim: undefined });
    expect(isRefused(read) ? '' : read.base).toBe(
      `"@method": POST\n"@target-uri": https://api.example/a?b=c\n"@signature-params": ${good.slice(4)}`,
    );
  });

  it.each<readonly [what: string, input: string, reason: string]>([
    ['another tag', swap('"test"', '"other"'), 'absent'],
    ['no tag', swap(';tag="test"', ''), 'absent'],
    ['no nonce', swap(';nonce="0123456789abcdef"', ''), 'parameter_missing'],
    ['a short nonce', swap('0123456789abcdef', 'short'), 'parameter_value'],
    ['a long nonce', swap('0123456789abcdef', 'x'.repeat(65)), 'parameter_value'],
    ['a nonce that is a number', swap('"0123456789abcdef"', '1234'), 'parameter_value'],
    ['no keyid', swap(';keyid="k"', ''), 'parameter_missing'],
    ['no created', swap(';created=1000', ''), 'parameter_missing'],
    ['no expires', swap(';expires=1060', ''), 'parameter_missing'],
    ['a life that is too long', swap('1060', '1061'), 'lifetime'],
    ['an end before its beginning', swap('1060', '1000'), 'lifetime'],
    ['a time that is a text', swap('created=1000', 'created="1000"'), 'parameter_value'],
    ['a time that is broken', swap('created=1000', 'created=1000.5'), 'parameter_value'],
    ['a time before all time', swap('created=1000', 'created=-5'), 'parameter_value'],
    ['no method', swap('"@method" ', ''), 'component_missing'],
    ['no target', swap(' "@target-uri"', ''), 'component_missing'],
    ['a method only as that of another request', swap('"@method"', '"@method";req'), 'component_missing'],
    ['a component twice', swap('"@method"', '"@method" "@method"'), 'component_twice'],
    ['a field that is not there', swap('"@method"', '"@method" "x-missing"'), 'component_missing'],
    ['a derived component that nobody knows', swap('"@method"', '"@method" "@mood"'), 'component_unknown'],
    ['a name that every object has', swap('"@method"', '"@method" "@constructor"'), 'component_unknown'],
    ['a field in capitals', swap('"@method"', '"@method" "Date"'), 'component_unknown'],
    ['a parameter that nobody knows', swap('"@method"', '"@method";sf'), 'component_unknown'],
    ['a parameter of another component', swap('"@method"', '"@method";name="x"'), 'component_unknown'],
    ['a status of a request', swap('"@method"', '"@method" "@status"'), 'component_missing'],
    ['a component that is a token', swap('"@method"', 'method'), 'malformed'],
    ['no list at all', 'sig=7', 'malformed'],
    ['a label twice', `${good}, ${good}`, 'ambiguous'],
    ['a parameter twice', swap('created=1000', 'created=999;created=1000'), 'ambiguous'],
    ['another spelling', swap('("@method"', '( "@method"'), 'ambiguous'],
    ['two signatures of ours', `${good}, other${good.slice(3)}`, 'malformed'],
    ['no dictionary', '))', 'malformed'],
  ])('refuses %s', (_, input, reason) => {
    expect(reasonOf(message(input))).toBe(reason);
  });

  it('refuses two signatures with our tag, and passes by those of others', () => {
    const other = `other${good.slice(3)}`;
    expect(reasonOf(message(`${good}, ${other}`, `${bytes}, other=:AAAA:`))).toBe('ambiguous');
    const proxy = other.replace('"test"', '"proxy"');
    expect(reasonOf(message(`${proxy}, ${good}`, `${bytes}, other=:AAAA:`))).toBe('read');
  });

  it('wants the digest covered where there is content, and says whether it is', () => {
    const digest = [['Content-Digest', 'sha-256=:AAAA:']] as const;
    expect(reasonOf(message(), true)).toBe('component_missing');
    const covered = swap('"@target-uri"', '"@target-uri" "content-digest"');
    expect(reasonOf(message(covered), true)).toBe('component_missing');
    expect(readSignature(message(covered, bytes, digest), profile, true)).toMatchObject({
      coversDigest: true,
    });
    expect(readSignature(message(), profile, false)).toMatchObject({ coversDigest: false });
  });

  it('tells what the message claims to be signed with, and uses it for nothing', () => {
    const claimed = readSignature(message(`${good};alg="none"`), profile, false);
    expect(claimed).toMatchObject({ algorithmClaim: 'none' });
    expect(reasonOf(message(`${good};alg=none`))).toBe('parameter_value');
  });

  it('refuses a signature without its input, an input without its signature, and bytes that are none', () => {
    const only = (name: string, value: string): RequestMessage => ({
      ...message(),
      fields: fieldsOfPairs([[name, value]]),
    });
    expect(reasonOf(only('Signature', bytes))).toBe('absent');
    expect(reasonOf(only('Signature-Input', good))).toBe('absent');
    expect(reasonOf(message(good, 'sig="AAAA"'))).toBe('malformed');
    expect(reasonOf(message(good, 'sig'))).toBe('malformed');
    expect(isSigned(only('Signature', bytes))).toBe(true);
    expect(isSigned(only('Date', 'x'))).toBe(false);
  });
});

describe('a base', () => {
  it('takes the fields of both lines that were sent, in order, without their blanks', () => {
    const fields = fieldsOfRawHeaders(['X-A', ' one ', 'x-b', 'z', 'x-a', 'two\t']);
    const base = buildSignatureBase(
      { method: 'GET', url: 'https://a/', fields },
      { components: [component('x-a'), component('x-a', { bs: true })], parameters: new Map() },
    );
    expect(base.split('\n').slice(0, 2)).toEqual(['"x-a": one, two', '"x-a";bs: :b25l:, :dHdv:']);
  });

  it.each([
    ['a line break in a field', { 'x-a': 'one\n"@method": GET' }, 'https://a/'],
    ['a letter that is not ASCII', { 'x-a': 'é' }, 'https://a/'],
    ['a line break in the target', { 'x-a': 'one' }, 'https://a/\nb'],
    ['a target that is only a path', { 'x-a': 'one' }, '/a'],
    ['a target with a fragment', { 'x-a': 'one' }, 'https://a/#b'],
  ])('has no room for %s', (_, given, url) => {
    const fields = fieldsOfPairs(Object.entries(given));
    const input = { components: [component('x-a'), component('@target-uri')], parameters: new Map() };
    expect(() => buildSignatureBase({ method: 'GET', url, fields }, input)).toThrow('');
  });

  it('has the target letter by letter, and derives the rest from it', () => {
    const names = ['@target-uri', '@authority', '@scheme', '@path', '@query', '@request-target'];
    const baseOf = (url: string) =>
      buildSignatureBase(
        { method: 'GET', url, fields: fieldsOfPairs([]) },
        { components: names.map((name) => component(name)), parameters: new Map() },
      )
        .split('\n')
        .slice(0, names.length)
        .map((line) => line.slice(line.indexOf(': ') + 2));
    expect(baseOf('https://user@Example.COM:443/a/../b?x=%7e')).toEqual([
      'https://user@Example.COM:443/a/../b?x=%7e',
      'example.com',
      'https',
      '/a/../b',
      '?x=%7e',
      '/a/../b?x=%7e',
    ]);
    expect(baseOf('http://[::1]:8080')).toEqual(['http://[::1]:8080', '[::1]:8080', 'http', '/', '?', '/']);
  });

  it('reads one member of a dictionary, and one parameter of a query that stands once', () => {
    const fields = fieldsOfPairs([['x-d', 'a=1,   b=2;x=1;y=2, c=(a   b)']]);
    const lines = (components: ReturnType<typeof component>[], url = 'https://a/?q=a+b%21&q2=') =>
      buildSignatureBase({ method: 'GET', url, fields }, { components, parameters: new Map() });
    expect(lines([component('x-d', { key: 'b' }), component('x-d', { key: 'c' })])).toContain(
      '"x-d";key="b": 2;x=1;y=2\n"x-d";key="c": (a b)\n',
    );
    expect(lines([component('@query-param', { name: 'q' })])).toContain(
      '"@query-param";name="q": a%20b%21\n',
    );
    const twice = () => lines([component('@query-param', { name: 'q' })], 'https://a/?q=1&%71=2');
    expect(twice).toThrow('more than once');
  });
});

describe('hostile messages cost little', () => {
  it.each([
    ['thousands of components', swap('("@method"', `(${'"x" '.repeat(5_000)}"@method"`), bytes],
    [
      'a few too many components',
      swap('("@method"', `(${Array.from({ length: 40 }, (_, n) => `"x${n}" `).join('')}"@method"`),
      bytes,
    ],
    ['a field of a megabyte', `${good};x="${'a'.repeat(1_000_000)}"`, bytes],
    ['a signature of a megabyte', good, `sig=:${'A'.repeat(1_000_000)}:`],
    ['many labels', Array.from({ length: 9 }, (_, n) => `a${n}=()`).join(', '), bytes],
  ])('%s', (_, input, signature) => {
    expect(reasonOf(message(input, signature))).toBe('too_large');
  });

  it('a field of thousands of lines, and a query of thousands of parameters', () => {
    const lines = Array.from({ length: 5_000 }, () => ['Signature-Input', 'a'] as const);
    expect(reasonOf({ ...message(), fields: fieldsOfPairs(lines) })).toBe('too_large');
    const query = {
      ...message(swap('"@method"', '"@method" "@query-param";name="z"')),
      url: `https://a/?${'a&'.repeat(5_000)}`,
    };
    expect(reasonOf(query)).toBe('too_large');
    const long = message(swap('"@method"', '"@method" "x-l"'), bytes, [['x-l', 'l'.repeat(20_000)]]);
    expect(reasonOf(long)).toBe('too_large');
  });

  it('never throws for what a message holds', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (input, signature, url) => {
        for (const mutated of [input, good + input, input + good]) {
          const given = { ...message(mutated, signature), url };
          expect(typeof reasonOf(given)).toBe('string');
        }
      }),
    );
  });
});

describe('a content digest', () => {
  const digestOf = (value: string) => readContentDigest(fieldsOfPairs([['Content-Digest', value]]));
  const good256 = `sha-256=:${Buffer.alloc(32, 1).toString('base64')}:`;

  it('is read in every algorithm that is known, and written the same', () => {
    expect(digestOf(`${good256}, md5=:AAAA:`)).toEqual([
      { algorithm: digestAlgorithms['sha-256'], bytes: new Uint8Array(32).fill(1) },
    ]);
    expect(digestOf(good256).map(formatContentDigest)).toEqual([good256]);
  });

  it.each([
    ['md5=:AAAA:', 'neither'],
    ['sha-256=:AAAA:', '32 bytes'],
    ['sha-256="x"', '32 bytes'],
    ['toString=:AAAA:', 'not a dictionary'],
    ['constructor=:AAAA:', 'neither'],
    ['sha-256', '32 bytes'],
    ['(', 'not a dictionary'],
    ['x'.repeat(5_000), 'too long'],
  ])('is refused as %s', (value, words) => {
    expect(() => digestOf(value)).toThrow(words);
  });

  it('is wanted where the head speaks of content', () => {
    const claims = (pairs: readonly (readonly [string, string])[]) =>
      claimsContent({ fields: fieldsOfPairs(pairs) });
    expect(claims([['Content-Length', '5']])).toBe(true);
    expect(claims([['Transfer-Encoding', 'chunked']])).toBe(true);
    expect(claims([['Content-Length', '0']])).toBe(false);
    expect(claims([])).toBe(false);
  });
});

describe('the fields of a signature', () => {
  it('are read as they were written', () => {
    const input = {
      components: [component('@method')],
      parameters: new Map<string, string | number>([['created', 5]]),
    };
    const fields = formatSignature('sig', input, Uint8Array.of(1, 2, 3));
    expect(fields).toEqual({ 'signature-input': 'sig=("@method");created=5', signature: 'sig=:AQID:' });
  });
});
