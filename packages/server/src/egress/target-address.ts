import { BlockList, isIP } from 'node:net';

/*
 * Which addresses the server may call on somebody else's word. Whoever can register a webhook can make the server
 * send a request to any address it can reach: the metadata service of a cloud, an admin page on the loopback address,
 * a database behind the firewall. So only what is public is called, by a list that names what is; IPv4 by what is
 * not, since nearly all of it is (IANA special-purpose registries, RFC 6890). An IPv4 address inside an IPv6 one
 * (mapped, NAT64, 6to4, Teredo) is refused whatever it is: it is a way around the list, and nobody needs it.
 */

export interface AddressPolicy {
  /** Ranges that are called all the same: `10.1.0.0/16`, `fd00::/8`, `127.0.0.1`. */
  readonly allowed: readonly string[];
}

const notPublic4 = [
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private
  '100.64.0.0/10', // carrier-grade NAT
  '127.0.0.0/8', // loopback
  '168.63.129.16/32', // public by its number: what a machine of Azure is managed by
  '169.254.0.0/16', // link-local, and the metadata services of clouds
  '172.16.0.0/12', // private
  '192.0.0.0/24', // IETF protocol assignments
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16', // private
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, and broadcast
];

const public6 = ['2000::/3'];
/** Within the above. */
const notPublic6 = [
  '2001::/23', // IETF protocol assignments: Teredo, ORCHID, benchmarks
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4
  '3fff::/20', // documentation
];

const refused4 = listOf(notPublic4);
const open6 = listOf(public6);
const refused6 = listOf(notPublic6);

/** `address` is an IP address as text. Anything else is refused. */
export function isAllowedAddress(address: string, policy: AddressPolicy): boolean {
  // A zone (`fe80::1%eth0`) names an interface of this machine.
  if (address.includes('%')) return false;
  const family = isIP(address);
  if (family === 0) return false;
  if (policy.allowed.length > 0 && check(listOf(policy.allowed), address, family)) return true;
  if (family === 4) return !check(refused4, address, 4);
  return check(open6, address, 6) && !check(refused6, address, 6);
}

/** Is this a range that `allowed` may name? */
export function isAddressRange(text: string): boolean {
  const [address = '', bits] = text.split('/');
  const family = isIP(address);
  if (family === 0) return false;
  if (bits === undefined) return true;
  return /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
}

function check(list: BlockList, address: string, family: number): boolean {
  return list.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

function listOf(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    const type = isIP(address) === 4 ? 'ipv4' : 'ipv6';
    if (bits === undefined) list.addAddress(address, type);
    else list.addSubnet(address, Number(bits), type);
  }
  return list;
}
