import type { ChainConfig } from './schema.ts';

/**
 * Types a config while it is written; it does nothing else. What types can't say is checked when the config is loaded.
 *
 * @example
 * export default defineConfig({
 *   application: 'my-app',
 *   namespace: 'my-tenant',
 *   git: { url: 'https://github.com/my-org/my-app' },
 *   registry: 'quay.io/my-org/my-tenant',
 *   images: [
 *     { role: 'primary', component: 'app', repository: 'my-app', containerfile: 'app/Containerfile' },
 *     { role: 'sidecar', embeds: ['primary'], repository: 'my-sidecar', containerfile: 'sidecar/Containerfile' },
 *   ],
 * });
 */
export function defineConfig(config: ChainConfig): ChainConfig {
  return config;
}
