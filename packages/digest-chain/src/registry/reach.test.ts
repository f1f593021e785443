import { expect, it } from 'vitest';
import { mayLeadTo, type Reach, reachOfAddress, reachOfAddresses, reachOfHost } from './reach.ts';

it.each<[string, Reach]>([
  ['127.0.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['::1', 'loopback'],
  ['::ffff:127.0.0.1', 'loopback'],
  ['::ffff:7f00:1', 'loopback'],
  ['10.1.2.3', 'private'],
  ['100.64.0.1', 'private'],
  ['172.16.0.1', 'private'],
  ['172.32.0.1', 'public'],
  ['192.168.1.1', 'private'],
  ['fd00::1', 'private'],
  ['::ffff:10.0.0.1', 'private'],
  ['169.254.169.254', 'forbidden'],
  ['::ffff:169.254.169.254', 'forbidden'],
  ['fe80::1', 'forbidden'],
  ['0.0.0.0', 'forbidden'],
  ['::', 'forbidden'],
  ['224.0.0.1', 'forbidden'],
  ['255.255.255.255', 'forbidden'],
  ['8.8.8.8', 'public'],
  ['2606:4700::1111', 'public'],
])('%s is %s', (address, reach) => {
  expect(reachOfAddress(address)).toBe(reach);
});

it('reads what a host says by itself, as URLs write it', () => {
  const hosts = [
    'http://localhost/',
    'http://a.LOCALHOST./',
    'http://[::1]:1/',
    'http://0x7f.1/',
    'http://2130706433/',
  ];
  expect(hosts.map((url) => reachOfHost(new URL(url).hostname))).toEqual(hosts.map(() => 'loopback'));
  expect(reachOfHost(new URL('http://[::ffff:10.0.0.1]/').hostname)).toBe('private');
  expect(reachOfHost('registry.example')).toBeUndefined();
  expect(reachOfHost('localhost.example')).toBeUndefined();
});

it('lets a registry lead no further in than it is itself', () => {
  const reaches: Reach[] = ['public', 'private', 'loopback', 'forbidden'];
  const allowed = reaches.flatMap((from) =>
    reaches.filter((to) => mayLeadTo(from, to)).map((to) => `${from} to ${to}`),
  );
  expect(allowed).toEqual([
    'public to public',
    'private to public',
    'private to private',
    'loopback to public',
    'loopback to private',
    'loopback to loopback',
    'forbidden to public',
  ]);
});

it('takes a name with several addresses for the least inward of them', () => {
  const addresses = ['127.0.0.1', '10.0.0.1', '8.8.8.8'].map((address) => ({ address, family: 4 }));
  expect(reachOfAddresses(addresses)).toBe('public');
  expect(reachOfAddresses(addresses.slice(0, 2))).toBe('private');
  expect(reachOfAddresses([])).toBe('forbidden');
});
