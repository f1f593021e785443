import { defineConfig } from '@multi-image/manifests';

// An operator, the bundle that names it, and the catalog that names the bundle: one build instead of three repositories
// that nudge each other.
export default defineConfig({
  application: 'my-operator',
  displayName: 'My operator',
  namespace: 'your-tenant-namespace',
  git: { url: 'https://github.com/your-org/my-operator' },
  registry: 'quay.io/your-quay-org',
  root: '../..',
  // A bundle names its operator's digest, and that is what has to be released: sealing would make another of it.
  seal: 'referrer',
  images: [
    {
      role: 'operator',
      name: 'operator',
      component: 'my-operator',
      repository: 'my-operator',
      containerfile: 'examples/operator-bundle-catalog/operator/Containerfile',
    },
    {
      role: 'bundle',
      name: 'bundle',
      embeds: [{ image: 'operator', in: ['manifests/*.yaml'] }],
      component: 'my-operator-bundle',
      repository: 'my-operator-bundle',
      containerfile: 'examples/operator-bundle-catalog/bundle/Containerfile',
      // The image holds manifests: no packages, nothing to run.
      checks: ['deprecated-image-check', 'clamav-scan'],
    },
    {
      role: 'catalog',
      name: 'catalog',
      embeds: [{ image: 'bundle', in: ['configs/**/*.yaml'] }],
      component: 'my-operator-catalog',
      repository: 'my-operator-catalog',
      containerfile: 'examples/operator-bundle-catalog/catalog/Containerfile',
      checks: ['deprecated-image-check', 'clamav-scan'],
    },
  ],
});
