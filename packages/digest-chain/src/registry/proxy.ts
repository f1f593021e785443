import { DigestChainError } from '../errors.ts';
import type { Environment } from './options.ts';
import { reachOfHost } from './reach.ts';

const net = process.getBuiltinModule('node:net');

/**
 * The proxy for a URL by HTTPS_PROXY, HTTP_PROXY and NO_PROXY (or in lower case), read as Go's tools read them, so that
 * one environment means the same to buildah and to us. This machine's loopback is never behind a proxy. Throws
 * `PROXY_INVALID`.
 */
export function proxyFor(url: URL, environment: Environment): string | undefined {
  const name = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const value = variable(environment, name);
  if (value === '' || reachOfHost(url.hostname) === 'loopback') return undefined;
  if (isExempt(url, variable(environment, 'NO_PROXY'))) return undefined;
  const proxy = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`);
  // The value may hold a password, so it is not repeated.
  if (proxy === null || !/^https?:$/.test(proxy.protocol) || proxy.hostname === '') {
    throw new DigestChainError('PROXY_INVALID', `${name} is not the URL of an HTTP proxy`, {
      expected: 'http://host:port or https://host:port',
      hint: `correct ${name} or unset it`,
    });
  }
  checkSupport(name);
  return proxy.href;
}

/** `*`, names (with their subdomains), `.names` (only their subdomains), addresses and networks, each perhaps with a port. */
function isExempt(url: URL, list: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  return list
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true;
      if (entry.includes('/')) return isWithin(host, entry);
      const [, name = '', entryPort] = /^(\[[^\]]*\]|[^:]*|[^[]*:[^[]*:[^[]*)(?::(\d+))?$/.exec(entry) ?? [];
      if (entryPort !== undefined && entryPort !== port) return false;
      const bare = name.replace(/^\[|\]$/g, '').replace(/^\*(?=\.)/, '');
      return bare.startsWith('.')
        ? host.endsWith(bare)
        : host === bare || (!net.isIP(host) && host.endsWith(`.${bare}`));
    });
}

function isWithin(host: string, network: string): boolean {
  const [address = '', prefix = ''] = network.split('/');
  const family = net.isIP(address);
  if (family === 0 || net.isIP(host) === 0 || !/^\d{1,3}$/.test(prefix) || Number(prefix) > (family === 6 ? 128 : 32)) {
    return false;
  }
  const list = new net.BlockList();
  list.addSubnet(address, Number(prefix), family === 6 ? 'ipv6' : 'ipv4');
  return list.check(host, net.isIP(host) === 6 ? 'ipv6' : 'ipv4');
}

/** A Node without proxies in its agents would go around the proxy without a word. */
function checkSupport(name: string): void {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 24 || (major === 24 && minor >= 5) || (major === 22 && minor >= 21)) return;
  throw new DigestChainError('PROXY_INVALID', `this version of Node can't use the proxy that ${name} names`, {
    expected: 'Node 22.21 or later, or 24.5 or later',
    found: process.version,
    hint: `use a newer Node, unset ${name}, or list the registry in NO_PROXY`,
  });
}

function variable(environment: Environment, name: string): string {
  return (environment[name] || environment[name.toLowerCase()] || '').trim();
}
