import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

interface Rule {
  apiGroups?: string[];
  resources?: string[];
  verbs?: string[];
}
interface ServiceVersion {
  metadata: { annotations: Record<string, string> };
  spec: {
    relatedImages: { image: string }[];
    install: { spec: Record<'clusterPermissions' | 'permissions', { rules: Rule[] }[] | undefined> };
  };
}

/** What Conforma's rule data asks of every CSV (required_olm_features_annotations). */
const FEATURES = [
  ...['disconnected', 'fips-compliant', 'proxy-aware', 'tls-profiles'],
  ...['token-auth-aws', 'token-auth-azure', 'token-auth-gcp'],
].map((name) => `features.operators.openshift.io/${name}`);

describe.each(globSync('examples/*/bundle/manifests/*.clusterserviceversion.yaml', { cwd: ROOT }))('%s', (file) => {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const { metadata, spec } = parse(text) as ServiceVersion;

  test('olm.feature_annotations_format: each feature is said to be there or not', () => {
    for (const name of FEATURES) expect(metadata.annotations[name], name).toMatch(/^(?:true|false)$/);
  });

  test('olm.subscriptions_annotation_format: the subscriptions are a list of different names', () => {
    const names = JSON.parse(metadata.annotations['operators.openshift.io/valid-subscription'] ?? 'null');
    expect(names).toEqual([...new Set(names)]);
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect(name).toEqual(expect.any(String));
  });

  test('olm.required_network_policy_rbac_for_operands: it may create, change and delete network policies', () => {
    const { clusterPermissions = [], permissions = [] } = spec.install.spec;
    const verbs = [...clusterPermissions, ...permissions]
      .flatMap(({ rules }) => rules)
      .filter((rule) => rule.apiGroups?.includes('networking.k8s.io') && rule.resources?.includes('networkpolicies'))
      .flatMap((rule) => rule.verbs ?? []);
    expect(verbs).toEqual(expect.arrayContaining(['create', 'delete', 'update']));
  });

  test('every image that it names is one of its related images', () => {
    const related = spec.relatedImages.map(({ image }) => image);
    const named = [...text.matchAll(/^\s*(?:- )?(?:image|containerImage): (\S+)$/gm)].map(([, image = '']) => image);
    expect(new Set(named)).toEqual(new Set(related));
    const configMaps = globSync('*configmap.yaml', { cwd: join(ROOT, dirname(file)) });
    for (const name of configMaps) {
      const { data } = parse(readFileSync(join(ROOT, dirname(file), name), 'utf8')) as { data: Record<string, string> };
      for (const image of Object.values(data)) expect(related).toContain(image);
    }
  });
});
