import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { fewLookups } from './few-lookups.ts';
import { type AddressPolicy, isAllowedAddress } from './target-address.ts';

/** The name stands for an address that is not called. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
  readonly code = 'ADDRESS_REFUSED';

  constructor() {
    super('the host has an address that events are not sent to');
  }
}

export type Resolve = (
  hostname: string,
  settle: (
    error: Error | null,
    addresses: readonly { readonly address: string; readonly family: number }[],
  ) => void,
) => void;

const systemResolve: Resolve = fewLookups((hostname, settle) => {
  lookup(hostname, { all: true, verbatim: true }, (error, addresses) => settle(error, addresses ?? []));
});

/**
 * How a connection finds its address: looked up here, every address of the answer checked, and the connection goes
 * to what was checked. Looked up a second time by whoever connects, the name could stand for another address by then
 * (DNS rebinding). One address that is refused refuses the name: an honest one has none.
 */
export function guardedLookup(policy: AddressPolicy, resolve: Resolve = systemResolve): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, (error, found) => {
      if (error !== null) return callback(error, '', 0);
      const isRefused = found.some(({ address }) => !isAllowedAddress(address, policy));
      const wanted = options.family === 4 || options.family === 6 ? options.family : undefined;
      const addresses = found.filter(({ family }) => wanted === undefined || family === wanted);
      const [first] = addresses;
      if (isRefused || first === undefined) return callback(new AddressRefused(), '', 0);
      if (options.all) callback(null, [...addresses]);
      else callback(null, first.address, first.family);
    });
  };
}
