import { defineConfig } from '@multi-image/manifests';

// The one file to edit: `pnpm render` writes .tekton/, pipeline/ and konflux/ from it.
export default defineConfig({
  application: 'multi-image-poc',
  displayName: 'Multi-Image PoC',
  namespace: 'your-tenant-namespace',
  git: { url: 'https://github.com/your-org/konflux-multi-image-poc', branch: 'main' },
  registry: 'quay.io/your-quay-org',
  labelPrefix: 'io.konflux.poc',
  images: [
    {
      role: 'primary',
      component: 'app',
      repository: 'multi-image-poc-image1',
      containerfile: 'image1/Containerfile',
    },
    {
      role: 'metadata',
      embeds: ['primary'],
      component: 'metadata-scanner',
      repository: 'multi-image-poc-image2',
      containerfile: 'image2/Containerfile',
    },
  ],
});
