/*
 * Everything about a signature algorithm in one entry. What signs or verifies is given an entry and does what it says;
 * nothing below this table branches on a name.
 *
 * No algorithm is ever taken from a message. The record of a key (or of a signing key, or the policy of a keyspace) says
 * which entry counts; what a message claims (`alg` of a JWT, `alg` of a signature's parameters) may at most be compared
 * with it, and refused when it differs. That is what makes `none`, and a public key used as the secret of a MAC, no cases
 * that have to be thought of.
 *
 * Not in the table, on purpose: RSA (signatures of 256 bytes and more, verification keys that do not fit beside a record,
 * two paddings to confuse), and ES384/ES512, which nobody has asked for.
 */

/** One entry. Lengths are in bytes. */
export interface Algorithm {
  /** Ours: in records, in the store and on the wire. */
  readonly name: AlgorithmName;
  /** `mac`: whoever can verify can sign. */
  readonly kind: 'signature' | 'mac';
  /** `alg` in JOSE: RFC 7518 section 3.1, RFC 8037 section 3.1. */
  readonly jose: string;
  /** In the registry of RFC 9421, section 6.2.2. */
  readonly httpSignature: string;
  /** The key as a JWK: RFC 7518 section 6, RFC 8037 section 2. `members` are those of the public key, with their lengths. */
  readonly jwk: {
    readonly kty: 'OKP' | 'EC' | 'oct';
    readonly crv: string | null;
    readonly members: Readonly<Record<string, number>>;
  };
  /** Always exactly so many: anything else is no signature of this algorithm. */
  readonly signatureBytes: number;
  /** For `node:crypto`. A KeyObject of another type or curve is not one of this algorithm. */
  readonly node: {
    readonly keyType: 'ed25519' | 'ec' | 'secret';
    readonly namedCurve: string | null;
    /** Null: the algorithm hashes by itself. */
    readonly hash: string | null;
    /** Of ECDSA: r and s beside each other, as RFC 7518 section 3.4 and RFC 9421 section 3.3.4 have it. */
    readonly dsaEncoding: 'ieee-p1363' | null;
  };
  /** For Web Crypto: what `importKey` and what `sign` and `verify` are given. */
  readonly webCrypto: {
    readonly importKey: WebCryptoParameters;
    readonly sign: WebCryptoParameters;
  };
}

export type WebCryptoParameters = {
  readonly name: string;
  readonly namedCurve?: string;
  readonly hash?: string;
};

export const algorithmNames = ['ed25519', 'ecdsa-p256-sha256', 'hmac-sha256'] as const;
export type AlgorithmName = (typeof algorithmNames)[number];

/** RFC 8032; 128 bits; deterministic, so that no chance at signing can give the key away. The one to prefer. */
const ed25519: Algorithm = {
  name: 'ed25519',
  kind: 'signature',
  jose: 'EdDSA',
  httpSignature: 'ed25519',
  jwk: { kty: 'OKP', crv: 'Ed25519', members: { x: 32 } },
  signatureBytes: 64,
  node: { keyType: 'ed25519', namedCurve: null, hash: null, dsaEncoding: null },
  webCrypto: { importKey: { name: 'Ed25519' }, sign: { name: 'Ed25519' } },
};

/** FIPS 186-5 on P-256; for clients and hardware that have no Ed25519. */
const ecdsaP256Sha256: Algorithm = {
  name: 'ecdsa-p256-sha256',
  kind: 'signature',
  jose: 'ES256',
  httpSignature: 'ecdsa-p256-sha256',
  jwk: { kty: 'EC', crv: 'P-256', members: { x: 32, y: 32 } },
  signatureBytes: 64,
  node: { keyType: 'ec', namedCurve: 'prime256v1', hash: 'sha256', dsaEncoding: 'ieee-p1363' },
  webCrypto: {
    importKey: { name: 'ECDSA', namedCurve: 'P-256' },
    sign: { name: 'ECDSA', hash: 'SHA-256' },
  },
};

/** RFC 2104; for holders that have nothing but the key string. */
const hmacSha256: Algorithm = {
  name: 'hmac-sha256',
  kind: 'mac',
  jose: 'HS256',
  httpSignature: 'hmac-sha256',
  jwk: { kty: 'oct', crv: null, members: {} },
  signatureBytes: 32,
  node: { keyType: 'secret', namedCurve: null, hash: 'sha256', dsaEncoding: null },
  webCrypto: { importKey: { name: 'HMAC', hash: 'SHA-256' }, sign: { name: 'HMAC' } },
};

export const algorithms: Readonly<Record<AlgorithmName, Algorithm>> = frozen({
  ed25519,
  'ecdsa-p256-sha256': ecdsaP256Sha256,
  'hmac-sha256': hmacSha256,
});

/** Is this one of our names? For records, settings and requests for a key; never for what a message claims. */
export function isAlgorithmName(text: unknown): text is AlgorithmName {
  return typeof text === 'string' && Object.hasOwn(algorithms, text);
}

/** The entry with this name in JOSE, for a record or a setting that holds it; undefined: it is not in the table. */
export function algorithmOfJose(jose: string): Algorithm | undefined {
  return algorithmNames.map((name) => algorithms[name]).find((entry) => entry.jose === jose);
}

function frozen<Value extends object>(value: Value): Value {
  for (const member of Object.values(value)) {
    if (typeof member === 'object' && member !== null) frozen(member);
  }
  return Object.freeze(value);
}
