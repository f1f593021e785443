import { describe, expect, it } from 'vitest';
import { proxyFor } from './proxy.ts';

const PROXY = 'http://proxy.example:3128/';

describe('proxyFor', () => {
  it.each<[string, Record<string, string>, string | undefined]>([
    ['https://quay.io/', { HTTPS_PROXY: PROXY }, PROXY],
    ['https://quay.io/', { https_proxy: 'proxy.example:3128' }, PROXY],
    ['https://quay.io/', { HTTP_PROXY: PROXY }, undefined],
    ['http://quay.io/', { HTTP_PROXY: PROXY }, PROXY],
    ['http://quay.io/', { HTTPS_PROXY: PROXY }, undefined],
    ['https://quay.io/', { HTTPS_PROXY: '' }, undefined],
    ['http://localhost:5000/', { HTTP_PROXY: PROXY }, undefined],
    ['http://127.0.0.1:5000/', { HTTP_PROXY: PROXY }, undefined],
    ['http://[::1]:5000/', { HTTP_PROXY: PROXY }, undefined],
  ])('%s with %j', (url, environment, expected) => {
    expect(proxyFor(new URL(url), environment)).toBe(expected);
  });

  it.each<[string, string, boolean]>([
    ['https://quay.io/', '*', true],
    ['https://quay.io/', 'quay.io', true],
    ['https://cdn.quay.io/', 'quay.io', true],
    ['https://cdn.quay.io/', '.quay.io', true],
    ['https://cdn.quay.io/', '*.quay.io', true],
    ['https://quay.io/', '.quay.io', false],
    ['https://notquay.io/', 'quay.io', false],
    ['https://quay.io/', ' a.example , QUAY.io ', true],
    ['https://quay.io/', 'quay.io:443', true],
    ['https://quay.io/', 'quay.io:8443', false],
    ['https://quay.io:8443/', 'quay.io:8443', true],
    ['https://10.1.2.3/', '10.0.0.0/8', true],
    ['https://11.1.2.3/', '10.0.0.0/8', false],
    ['https://10.1.2.3/', '10.1.2.3', true],
    ['https://10.1.2.3/', '2.3', false],
    ['https://[fd00::7]/', 'fd00::/8', true],
    ['https://[fd00::7]:5000/', '[fd00::7]:5000', true],
    ['https://[fd00::7]/', 'fd00::7', true],
    ['https://ten.example/', '10.0.0.0/8', false],
    ['https://quay.io/', '10.0.0.0/99,a/b,/', false],
    ['https://quay.io/', '', false],
  ])('%s with NO_PROXY=%s: direct %s', (url, list, direct) => {
    expect(proxyFor(new URL(url), { HTTPS_PROXY: PROXY, NO_PROXY: list })).toBe(direct ? undefined : PROXY);
    expect(proxyFor(new URL(url), { HTTPS_PROXY: PROXY, no_proxy: list })).toBe(direct ? undefined : PROXY);
  });

  it.each(['socks5://user:hunter2@proxy.example', 'http://', 'ht tp://user:hunter2@x', ':hunter2'])(
    'refuses %s, and does not repeat it',
    (proxy) => {
      const attempt = (): unknown => proxyFor(new URL('https://quay.io/'), { HTTPS_PROXY: proxy });
      expect(attempt).toThrow(expect.objectContaining({ code: 'PROXY_INVALID' }));
      expect(attempt).not.toThrow(/hunter2/);
    },
  );
});
