import type { LookupAddress } from 'node:dns';
import type { BlockList } from 'node:net';
import { checkRepository } from '../reference.ts';
import type { Repository } from './registry.ts';

// An import would evaluate every export of the module.
const net = process.getBuiltinModule('node:net');

/**
 * From where an address can be reached. A registry may send its clients to where they could have gone anyway, not
 * further in: a public registry that names a private address wants to use this machine to look into its network.
 */
export type Reach = 'public' | 'private' | 'loopback' | 'forbidden';

// Link-local holds the clouds' metadata services, which hand out credentials; the other forbidden ones are nobody's address.
const NETWORKS = {
  loopback: ['127.0.0.0/8', '::1/128'],
  forbidden: ['0.0.0.0/8', '169.254.0.0/16', '224.0.0.0/3', '::/128', 'fe80::/10', 'ff00::/8'],
  private: [
    '10.0.0.0/8',
    '100.64.0.0/10',
    '172.16.0.0/12',
    '192.168.0.0/16',
    '198.18.0.0/15',
    '64:ff9b:1::/48',
    'fc00::/7',
    'fec0::/10',
  ],
} as const;

// Made when they are needed: most calls end at the first, and making all takes longer than asking.
const lists = new Map<keyof typeof NETWORKS, BlockList>();

export function reachOfAddress(address: string): Reach {
  const isIn = (reach: keyof typeof NETWORKS): boolean => {
    const list = lists.get(reach) ?? listOf(NETWORKS[reach]);
    lists.set(reach, list);
    return list.check(address, familyOf(address));
  };
  return (['loopback', 'forbidden', 'private'] as const).find(isIn) ?? 'public';
}

/** What a host name says by itself; undefined where only a lookup can tell. */
export function reachOfHost(hostname: string): Reach | undefined {
  const host = hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
  if (net.isIP(host) !== 0) return reachOfAddress(host);
  return host === 'localhost' || host.endsWith('.localhost') ? 'loopback' : undefined;
}

/** The least inward of the addresses that a name has. */
export function reachOfAddresses(addresses: readonly LookupAddress[]): Reach {
  const reaches = new Set(addresses.map(({ address }) => reachOfAddress(address)));
  return INWARD.find((reach) => reaches.has(reach)) ?? 'forbidden';
}

/** Each further in than the one before. */
const INWARD: readonly Reach[] = ['public', 'private', 'loopback'];

/** Whether a host of reach `from` may send a client to a host of reach `to`. */
export function mayLeadTo(from: Reach, to: Reach): boolean {
  return to === 'public' || (to !== 'forbidden' && INWARD.indexOf(from) >= INWARD.indexOf(to));
}

function listOf(networks: readonly string[]): BlockList {
  const list = new net.BlockList();
  for (const network of networks) {
    const [address = '', prefix] = network.split('/');
    list.addSubnet(address, Number(prefix), familyOf(address));
  }
  return list;
}

/** Of what is an address; `isIP` would compile a large pattern to find it out, at every start of the command. */
function familyOf(address: string): 'ipv4' | 'ipv6' {
  return address.includes(':') ? 'ipv6' : 'ipv4';
}

/** Whether the registry is this machine by its name alone: `localhost`, 127.0.0.0/8 or ::1. */
export function isLoopback(registry: string): boolean {
  const host = registry.replace(/:\d+$/, '').toLowerCase();
  // Other names under `localhost` are loopback by convention alone: where a name server says otherwise, TLS is needed.
  return reachOfHost(host) === 'loopback' && !host.endsWith('.localhost');
}

/** Which registries are reached without TLS: see `RegistryOptions`. */
export type PlainHttp = boolean | readonly string[] | undefined;

/** Whether this one is, since somebody said so. */
export function isNamedPlain(registry: string, plainHttp: PlainHttp): boolean {
  return typeof plainHttp === 'object' ? plainHttp.includes(registry) : (plainHttp ?? false);
}

/** Where a registry answers. Docker Hub's is elsewhere than its name says. */
export function baseOf(registry: string, plainHttp: PlainHttp): URL {
  const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry;
  const isPlain = isNamedPlain(registry, plainHttp) || (plainHttp !== false && isLoopback(registry));
  return new URL(`${isPlain ? 'http' : 'https'}://${host}/`);
}

/**
 * The URL of something in a repository (distribution-spec, "Endpoints"). Throws `REFERENCE_INVALID` for a repository that
 * would lead elsewhere; `path` is made of tags and digests that were checked.
 */
export function urlOf(repository: Repository, path: string, plainHttp: PlainHttp): URL {
  checkRepository(repository);
  return new URL(`/v2/${repository.repository}/${path}`, baseOf(repository.registry, plainHttp));
}

/** A URL for a message: its query (which may be a signature that gives access), user and fragment are left out. */
export function redacted(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}${url.search === '' ? '' : '?…'}`.slice(0, 300);
}
