import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { findProgram } from '../processes/find-program.ts';
import type { Leftovers } from '../processes/leftovers.ts';

/*
 * A network of its own for processes that we start: a namespace of Linux with one cable to this machine, on which
 * packets are lost by chance. Unlike the TCP proxy it takes what is UDP, and what TCP does about a loss happens too.
 *
 *   const net = openNamespace(leftovers);
 *   net.spawn('node', ['server.ts']);            // is reached at net.inside, and reaches this machine at net.outside
 *   net.lose({ arriving: 0.3, leaving: 0 });     // three in ten of the packets that arrive there; 1 is a cut
 *   net.close();
 *
 * Loss is done by nftables inside the namespace, so nothing of this machine's own rules is touched. There is no delay
 * (netem is not in every kernel): that is what the TCP proxy is for.
 */

export interface PacketLoss {
  /** In [0, 1]. */
  readonly arriving?: number | undefined;
  readonly leaving?: number | undefined;
}

export interface NetworkNamespace {
  readonly name: string;
  /** The address of the namespace's end of the cable. */
  readonly inside: string;
  /** The address of this machine's end. */
  readonly outside: string;
  lose(loss: PacketLoss): void;
  /** Packets that were lost since it was last told what to lose. */
  lost(): number;
  spawn(program: string, args: readonly string[], options?: SpawnOptions): ChildProcess;
  /** Takes it away. What still runs in it goes on without a network: end it before. */
  close(): void;
}

let made = 0;

/** Why there can be none here; undefined: there can. */
export function noNamespaces(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces are of Linux';
  if (process.getuid?.() !== 0) return 'not root, so no network namespace can be made';
  const leftOut = 'what is shown of packets that get lost';
  for (const [name, debianPackage] of [
    ['ip', 'iproute2'],
    ['nft', 'nftables'],
  ] as const) {
    const { missing } = findProgram({ name, debianPackage, leftOut });
    if (missing !== undefined) return missing;
  }
  const probe = `keyswarm-probe-${process.pid}`;
  try {
    ip('netns', 'add', probe);
    nft(probe, 'add table inet probe');
    return undefined;
  } catch (error) {
    return `this kernel refuses it: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    spawnSync(pathOf('ip'), ['netns', 'del', probe], { stdio: 'ignore' });
  }
}

export function openNamespace(leftovers: Leftovers): NetworkNamespace {
  made += 1;
  const id = `${process.pid.toString(36)}${made.toString(36)}`;
  const name = `keyswarm-${id}`;
  // 255 of them at once, each a network of four addresses.
  const net = `10.213.${made % 256}`;
  const [outside, inside] = [`${net}.1`, `${net}.2`];
  const [near, far] = [`ks${id}a`, `ks${id}b`];
  ip('netns', 'add', name);
  leftovers.add('namespace', name);
  // Both ends go with the namespace.
  ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', name);
  // No address of IPv6: the kernel would talk over it by itself, and be counted among what was lost.
  ip('link', 'set', near, 'addrgenmode', 'none');
  ip('-n', name, 'link', 'set', far, 'addrgenmode', 'none');
  ip('address', 'add', `${outside}/30`, 'dev', near);
  ip('link', 'set', near, 'up');
  ip('-n', name, 'address', 'add', `${inside}/30`, 'dev', far);
  ip('-n', name, 'link', 'set', far, 'up');
  ip('-n', name, 'link', 'set', 'lo', 'up');
  return {
    name,
    inside,
    outside,
    lose: (loss) => void nft(name, lossRules(far, loss)),
    lost: () => {
      const counted = nft(name, 'list table inet keyswarm').matchAll(/packets (\d+)/g);
      return [...counted].reduce((sum, [, packets]) => sum + Number(packets), 0);
    },
    spawn: (program, args, options = {}) =>
      spawn(pathOf('ip'), ['netns', 'exec', name, program, ...args], options),
    close() {
      ip('netns', 'del', name);
      leftovers.gone('namespace', name);
    },
  };
}

/** The whole of the rules, in one transaction. What a process there says to itself is not touched. */
function lossRules(device: string, { arriving = 0, leaving = 0 }: PacketLoss): string {
  const rule = (share: number): string => {
    if (!(share >= 0 && share <= 1)) throw new RangeError(`a share of packets is in [0, 1], not ${share}`);
    const parts = Math.round(share * 10_000);
    return `${parts === 10_000 ? '' : `numgen random mod 10000 < ${parts} `}counter drop`;
  };
  return `
add table inet keyswarm
delete table inet keyswarm
table inet keyswarm {
  chain arriving {
    type filter hook input priority 0;
    ${arriving > 0 ? `iifname "${device}" ${rule(arriving)}` : ''}
  }
  chain leaving {
    type filter hook output priority 0;
    ${leaving > 0 ? `oifname "${device}" ${rule(leaving)}` : ''}
  }
}
`;
}

function ip(...args: readonly string[]): void {
  said(spawnSync(pathOf('ip'), [...args], { encoding: 'utf8' }), `ip ${args.join(' ')}`);
}

/** Gives what it says. */
function nft(namespace: string, rules: string): string {
  const args = ['netns', 'exec', namespace, pathOf('nft'), '-f', '-'];
  return said(spawnSync(pathOf('ip'), args, { encoding: 'utf8', input: rules }), 'nft');
}

function said(
  { status, stdout, stderr }: { status: number | null; stdout: string; stderr: string },
  what: string,
): string {
  if (status !== 0) throw new Error(`${what}: ${stderr.trim()}`);
  return stdout;
}

/** They are among the system's programs, which are not on everybody's PATH. */
function pathOf(name: 'ip' | 'nft'): string {
  const debianPackage = name === 'ip' ? 'iproute2' : 'nftables';
  const { path, missing } = findProgram({ name, debianPackage, leftOut: 'network namespaces' });
  if (path === undefined) throw new Error(missing);
  return path;
}
