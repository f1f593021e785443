import { defineConfig } from '@multi-image/manifests';

// Two images, each for two platforms: what is linked and sealed is the index.
export default defineConfig({
  application: 'multi-arch',
  displayName: 'Two images for two platforms',
  namespace: 'your-tenant-namespace',
  git: { url: 'https://github.com/your-org/konflux-multi-image-poc' },
  registry: 'quay.io/your-quay-org',
  root: '../..',
  images: [
    {
      role: 'primary',
      component: 'multi-arch-app',
      repository: 'multi-arch-image1',
      containerfile: 'examples/multi-arch/app/Containerfile',
      platforms: ['linux/x86_64', 'linux/arm64'],
    },
    {
      role: 'metadata',
      embeds: ['primary'],
      component: 'multi-arch-scanner',
      repository: 'multi-arch-image2',
      containerfile: 'examples/multi-arch/scanner/Containerfile',
      platforms: ['linux/x86_64', 'linux/arm64'],
    },
  ],
});
