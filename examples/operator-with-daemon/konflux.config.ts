import { defineConfig } from '@multi-image/manifests';

// An operator and its agent, the bundle that names them, and the catalog: one build. The daemon that the agent starts on
// every node is another team's; its image goes into the bundle by the same digest for all.
const CSV_AND_CONFIG_MAP = ['manifests/*.yaml'];
const CATALOG = ['configs/**/*.yaml'];

export default defineConfig({
  application: 'node-operator',
  displayName: 'Node operator',
  namespace: 'your-tenant-namespace',
  git: { url: 'https://github.com/your-org/node-operator' },
  registry: 'quay.io/your-quay-org',
  root: '../..',
  // A bundle names its operator's digest, and that is what has to be released: sealing would make another of it.
  seal: 'referrer',
  external: {
    daemon: {
      image: 'quay.io/your-other-team/node-daemon:v0.1.0',
      component: 'node-daemon',
      releaseRepository: 'registry.redhat.io/my-org/node-daemon-rhel9',
    },
  },
  images: [
    {
      role: 'operator',
      name: 'operator',
      component: 'node-operator',
      repository: 'node-operator',
      releaseRepository: 'registry.redhat.io/my-org/node-operator-rhel9',
      containerfile: 'examples/operator-with-daemon/Containerfile',
    },
    {
      role: 'agent',
      name: 'agent',
      component: 'node-agent',
      repository: 'node-agent',
      releaseRepository: 'registry.redhat.io/my-org/node-agent-rhel9',
      containerfile: 'examples/operator-with-daemon/agent.Containerfile',
    },
    {
      role: 'bundle',
      name: 'bundle',
      embeds: [
        { image: 'operator', in: CSV_AND_CONFIG_MAP },
        { image: 'agent', in: CSV_AND_CONFIG_MAP },
        { image: 'daemon', in: CSV_AND_CONFIG_MAP },
      ],
      component: 'node-operator-bundle',
      repository: 'node-operator-bundle',
      releaseRepository: 'registry.redhat.io/my-org/node-operator-bundle',
      containerfile: 'examples/operator-with-daemon/bundle.Containerfile',
      // The image holds manifests: no packages, nothing to run.
      checks: ['deprecated-image-check', 'clamav-scan'],
    },
    {
      role: 'catalog',
      name: 'catalog',
      // The bundle, and what opm took over from its related images.
      embeds: [
        { image: 'bundle', in: CATALOG },
        { image: 'operator', in: CATALOG },
        { image: 'agent', in: CATALOG },
        { image: 'daemon', in: CATALOG },
      ],
      component: 'node-operator-catalog',
      repository: 'node-operator-catalog',
      containerfile: 'examples/operator-with-daemon/catalog.Containerfile',
      checks: ['deprecated-image-check', 'clamav-scan'],
    },
  ],
});
