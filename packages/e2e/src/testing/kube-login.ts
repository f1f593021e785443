import { writeFile } from 'node:fs/promises';

/** A kubeconfig for a server of a test. */
export async function writeKubeConfig(file: string, server: string, token = 'test-token'): Promise<string> {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'somebody', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'somebody', namespace: 'my-tenant' } }],
    'current-context': 'test',
  };
  await writeFile(file, JSON.stringify(config));
  return file;
}
