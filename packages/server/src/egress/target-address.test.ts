import { describe, expect, test } from 'vitest';
import { checkTargetUrl } from './check-url.ts';
import { isAddressRange, isAllowedAddress } from './target-address.ts';

const strict = { allowed: [], allowHttp: false };

describe('only public addresses are called', () => {
  test.each([
    ['loopback', '127.0.0.1'],
    ['loopback, another one', '127.8.9.1'],
    ['this network', '0.0.0.0'],
    ['private', '10.0.0.1'],
    ['private', '172.16.0.1'],
    ['private, the last', '172.31.255.255'],
    ['private', '192.168.1.1'],
    ['carrier-grade NAT', '100.64.0.1'],
    ['link-local', '169.254.0.1'],
    ['metadata service', '169.254.169.254'],
    ['the agent of a cloud, public by its number', '168.63.129.16'],
    ['multicast', '224.0.0.1'],
    ['broadcast', '255.255.255.255'],
    ['documentation', '192.0.2.1'],
    ['benchmarks', '198.19.0.1'],
    ['loopback', '::1'],
    ['unspecified', '::'],
    ['unique local', 'fd00::1'],
    ['unique local, the first half', 'fc00::1'],
    ['metadata service by IPv6', 'fd00:ec2::254'],
    ['link-local', 'fe80::1'],
    ['link-local with a zone', 'fe80::1%eth0'],
    ['site-local', 'fec0::1'],
    ['multicast', 'ff02::1'],
    ['v4-mapped loopback', '::ffff:127.0.0.1'],
    ['v4-mapped in hexadecimal', '::ffff:7f00:1'],
    ['v4-mapped private', '::ffff:10.0.0.1'],
    ['v4-mapped, written out', '0:0:0:0:0:ffff:a9fe:a9fe'],
    ['v4-compatible', '::127.0.0.1'],
    ['NAT64', '64:ff9b::7f00:1'],
    ['6to4', '2002:7f00:1::'],
    ['Teredo', '2001:0:7f00:1::'],
    ['documentation', '2001:db8::1'],
    ['not an address', 'example.com'],
    ['an address in octal', '0177.0.0.1'],
    ['an address as a number', '2130706433'],
  ])('%s: %s is refused', (_, address) => {
    expect(isAllowedAddress(address, strict)).toBe(false);
  });

  test.each(['1.1.1.1', '93.184.216.34', '172.15.255.255', '172.32.0.1', '2606:4700::1111', '2a00:1450::1'])(
    '%s is called',
    (address) => {
      expect(isAllowedAddress(address, strict)).toBe(true);
    },
  );

  test('a range that is named is called, and nothing beside it', () => {
    const policy = { allowed: ['10.1.0.0/16', '127.0.0.1', 'fd12::/16'] };
    const called = ['10.1.2.3', '127.0.0.1', 'fd12::1'].map((address) => isAllowedAddress(address, policy));
    const refused = ['10.2.0.1', '127.0.0.2', 'fd13::1', '169.254.169.254'].map((address) =>
      isAllowedAddress(address, policy),
    );
    expect([called, refused]).toEqual([
      [true, true, true],
      [false, false, false, false],
    ]);
  });

  test('a range that is none is not taken for one', () => {
    const ranges = ['10.0.0.0/33', '10.0.0/8', 'example.com', '::/129', '10.0.0.0/', '10.0.0.0/a'];
    expect(ranges.map(isAddressRange)).toEqual(ranges.map(() => false));
  });
});

describe('a URL that may not be called is refused when it is given', () => {
  test.each([
    ['plain http', 'http://example.com/hook'],
    ['another scheme', 'ftp://example.com/hook'],
    ['a file', 'file:///etc/passwd'],
    ['credentials', 'https://user:secret@example.com/'],
    ['a fragment', 'https://example.com/#x'],
    ['no URL', 'example.com/hook'],
    ['a private address', 'https://10.0.0.1/hook'],
    ['the loopback address', 'https://127.0.0.1:8443/'],
    ['the loopback name', 'https://localhost/'],
    ['the loopback name under another', 'https://a.localhost/'],
    ['the loopback address in hexadecimal', 'https://0x7f.1/'],
    ['the loopback address as a number', 'https://2130706433/'],
    ['the loopback address in octal', 'https://0177.0.0.1/'],
    ['the metadata service', 'https://169.254.169.254/latest/meta-data'],
    ['an IPv6 loopback address', 'https://[::1]/'],
    ['a v4-mapped address', 'https://[::ffff:169.254.169.254]/'],
  ])('%s: %s', (_, url) => {
    expect(() => checkTargetUrl(url, strict)).toThrow(expect.objectContaining({ code: 'invalid_field' }));
  });

  test('a public https URL is taken, and http where it is allowed', () => {
    expect(checkTargetUrl('https://hooks.example.com/a?b=c', strict).pathname).toBe('/a');
    const local = { allowed: ['127.0.0.1'], allowHttp: true };
    expect(checkTargetUrl('http://127.0.0.1:9/hook', local).port).toBe('9');
  });
});
