import { expect, it } from 'vitest';
import { parseServerFlags } from './server-flags.ts';

it.each([
  [['--port', '7071', '--data-dir=a=b'], { port: '7071', 'data-dir': 'a=b' }],
  [['--behind-tls', '--host', '0.0.0.0'], { 'behind-tls': true, host: '0.0.0.0' }],
  [['--host='], { host: '' }],
  [
    ['--relay', 'http://a', '--relay=http://b', '--port', '1', '--port', '2'],
    { relay: 'http://a,http://b', port: '2' },
  ],
  [[], {}],
])('%j', (args, flags) => {
  expect(parseServerFlags(args)).toEqual(flags);
});

it.each([['-p'], ['7071'], ['--Port']])('refuses %j and says where the names are', (arg) => {
  expect(() => parseServerFlags([arg])).toThrow(
    expect.objectContaining({
      message: expect.stringContaining(`"${arg}" is not a setting`),
      expected: expect.stringContaining('config explain'),
    }),
  );
});

it('says for a value alone what npm needs, which swallows an option that is given without --', () => {
  const told = (arg: string) => expect.objectContaining({ expected: expect.stringContaining(arg) });
  expect(() => parseServerFlags(['7072'])).toThrow(told('npm start -- --port 7072'));
  expect(() => parseServerFlags(['-p'])).not.toThrow(told('npm'));
});
