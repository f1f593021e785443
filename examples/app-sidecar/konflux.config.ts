import { defineConfig } from '@multi-image/manifests';

// An application and two sidecars that were made for exactly this build of it. The sidecars are built in parallel.
export default defineConfig({
  application: 'my-app',
  displayName: 'My app',
  namespace: 'your-tenant-namespace',
  git: { url: 'https://github.com/your-org/my-app' },
  registry: 'quay.io/your-quay-org',
  root: '../..',
  images: [
    {
      role: 'app',
      name: 'app',
      component: 'my-app',
      repository: 'my-app',
      containerfile: 'examples/app-sidecar/app/Containerfile',
    },
    {
      role: 'proxy',
      name: 'proxy',
      embeds: ['app'],
      component: 'my-app-proxy',
      repository: 'my-app-proxy',
      containerfile: 'examples/app-sidecar/proxy/Containerfile',
    },
    // Built, linked and checked, but released by nobody: no component of its own.
    {
      role: 'logger',
      name: 'logger',
      embeds: ['app'],
      repository: 'my-app-logger',
      containerfile: 'examples/app-sidecar/logger/Containerfile',
    },
  ],
});
