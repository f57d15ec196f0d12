import { describe, expect, it } from 'vitest';
import { algorithmNames, algorithmOfJose, algorithms, isAlgorithmName } from './algorithms.ts';

const entries = algorithmNames.map((name) => algorithms[name]);

describe('the table of algorithms', () => {
  it('has one entry a name, each name once, in every language', () => {
    expect(Object.keys(algorithms).sort()).toEqual([...algorithmNames].sort());
    for (const name of algorithmNames) expect(algorithms[name].name).toBe(name);
    for (const member of ['jose', 'httpSignature'] as const)
      expect(new Set(entries.map((entry) => entry[member])).size).toBe(entries.length);
  });

  it('can not be changed by whoever reads it, at any depth', () => {
    expect(() => Object.assign(algorithms.ed25519, { signatureBytes: 0 })).toThrow(TypeError);
    expect(() => Object.assign(algorithms.ed25519.node, { hash: 'md5' })).toThrow(TypeError);
    expect(() => Object.assign(algorithms, { none: algorithms.ed25519 })).toThrow(TypeError);
  });

  it('knows neither `none`, nor RSA, nor a name that every object has', () => {
    for (const other of [
      'none',
      'None',
      'RS256',
      'PS512',
      'rsa-pss-sha512',
      'toString',
      '__proto__',
      '',
      7,
      null,
    ])
      expect(isAlgorithmName(other)).toBe(false);
    for (const other of ['none', 'RS256', 'constructor', '']) expect(algorithmOfJose(other)).toBeUndefined();
    expect(algorithmOfJose('ES256')).toBe(algorithms['ecdsa-p256-sha256']);
    expect(algorithmOfJose('EdDSA')).toBe(algorithms.ed25519);
  });
});
