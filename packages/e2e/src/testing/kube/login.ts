import { writeFile } from 'node:fs/promises';

/** A kubeconfig for a server of a test. */
export async function writeKubeConfig(file: string, server: string, token = 'test-token'): Promise<string> {
  return writeLogin(file, { server, user: { token } });
}

export interface Login {
  server: string;
  /** A path: who is trusted to be the server; nobody is asked where there is none. */
  ca?: string;
  /** As kubeconfigs have it. */
  user: object;
  /** Of the cluster, the user and the context. */
  name?: string;
  current?: string | undefined;
}

/** A kubeconfig with one cluster, user and context. */
export async function writeLogin(file: string, login: Login): Promise<string> {
  const { server, ca, user, name = 'test', current = name } = login;
  const trust = ca === undefined ? { 'insecure-skip-tls-verify': true } : { 'certificate-authority': ca };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, ...trust } }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name, namespace: 'my-tenant' } }],
    'current-context': current,
  };
  await writeFile(file, JSON.stringify(config));
  return file;
}
