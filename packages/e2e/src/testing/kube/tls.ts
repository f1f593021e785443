import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A certificate authority of a test's own, with what it signed. All values are paths of PEM files. */
export interface TestAuthority {
  ca: string;
  server: { key: string; cert: string };
  client: { key: string; cert: string };
}

/** Makes an authority in a folder, which signs for these names, and one login by certificate. */
export async function createAuthority(folder: string, names: readonly string[] = []): Promise<TestAuthority> {
  await mkdir(folder, { recursive: true });
  const at = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): Promise<unknown> => promisify(execFile)('openssl', args);
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const ca = at('ca.crt');
  await openssl('req', '-x509', ...curve, '-keyout', at('ca.key'), '-out', ca, '-subj', '/CN=a test’s authority');
  const sign = async (name: string, subject: string, extension: string): Promise<{ key: string; cert: string }> => {
    const [key, cert, extensions] = [at(`${name}.key`), at(`${name}.crt`), at(`${name}.ext`)];
    await writeFile(extensions, extension);
    await openssl('req', ...curve.slice(0, 5), '-keyout', key, '-out', at(`${name}.csr`), '-subj', subject);
    const by = ['-CA', ca, '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '2'];
    await openssl('x509', '-req', '-in', at(`${name}.csr`), ...by, '-extfile', extensions, '-out', cert);
    return { key, cert };
  };
  const subjects = ['IP:127.0.0.1', ...['localhost', ...names].map((name) => `DNS:${name}`)];
  return {
    ca,
    server: await sign('server', '/CN=kube-apiserver', `subjectAltName=${subjects.join(',')}\n`),
    client: await sign('client', '/O=system:masters/CN=somebody', 'extendedKeyUsage=clientAuth\n'),
  };
}

/** The files' contents, as a server takes them. */
export async function readTls({ ca, server }: TestAuthority): Promise<{ key: string; cert: string; ca: string }> {
  const [key, cert, authority] = await Promise.all([server.key, server.cert, ca].map((file) => readFile(file, 'utf8')));
  return { key: key ?? '', cert: cert ?? '', ca: authority ?? '' };
}
