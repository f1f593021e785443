import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { appendFile, copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { loadConfig, readPins, render } from '@multi-image/manifests';
import { commitAll, git } from '@multi-image/testing/source';

/** What runs read of the packages: what a pod runs of digest-chain, and the pins. */
const NEEDED = ['packages/digest-chain/', 'packages/kit/', 'packages/manifests/pins.yaml'];
const NEEDED_BY_NO_RUN = /\.test\.ts$|\/(?:testing|testdata|fixtures|bench)\//;

const CONFIG = `import { defineConfig } from '@multi-image/manifests';

export default defineConfig({
  application: 'demo',
  namespace: 'your-tenant-namespace',
  git: { url: 'https://github.com/your-org/demo', branch: 'main' },
  registry: 'quay.io/your-quay-org',
  labelPrefix: 'io.konflux.poc',
  images: [
    { role: 'primary', component: 'app', repository: 'demo-image1', containerfile: 'image1/Containerfile' },
    {
      role: 'metadata',
      embeds: ['primary'],
      component: 'metadata-scanner',
      repository: 'demo-image2',
      containerfile: 'image2/Containerfile',
    },
  ],
});
`;

function containerfile(image: 1 | 2): string {
  const link = `ARG IMAGE1_DIGEST
ARG IMAGE1_URL
ENV IMAGE1_DIGEST=\${IMAGE1_DIGEST} IMAGE1_URL=\${IMAGE1_URL}
LABEL io.konflux.poc.primary-image.digest="\${IMAGE1_DIGEST}" io.konflux.poc.primary-image.url="\${IMAGE1_URL}"
`;
  return `ARG BASE_IMAGE=${readPins().images.node}
FROM \${BASE_IMAGE}
${image === 2 ? link : ''}LABEL name="demo-image${image}"
COPY --chmod=0444 image${image}/entrypoint.mts /app/entrypoint.mts
USER 1001
ENTRYPOINT ["node", "/app/entrypoint.mts"]
CMD []
`;
}

const PROGRAM_1 = `console.log('Hello from Image 1!');
console.log('This is the primary container in our multi-image build.');
console.log(\`Timestamp: \${new Date().toISOString()}\`);
`;

const PROGRAM_2 = `console.log('Hello from Image 2!');
console.log('This container proves the signed/sealed image chain.');
console.log(\`Image 1 Digest: \${process.env.IMAGE1_DIGEST}\`);
console.log(\`Image 1 URL: \${process.env.IMAGE1_URL}\`);
console.log('This digest was baked in at build time, proving atomic build.');
console.log(\`Timestamp: \${new Date().toISOString()}\`);
`;

/**
 * Copies what runs need of this repository as it stands, uncommitted changes included. The rest of its packages would be
 * cloned, packed and unpacked by every task of every run.
 *
 * @param isWanted Of what is outside of the packages
 */
export async function copyForRuns(
  repository: string,
  into: string,
  isWanted: (path: string) => boolean,
): Promise<void> {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const listed = execFileSync('git', list, { cwd: repository, encoding: 'utf8' }).split('\0').filter(Boolean);
  for (const path of listed) {
    const isNeeded = NEEDED.some((start) => path.startsWith(start)) && !NEEDED_BY_NO_RUN.test(path);
    if (path.startsWith('packages/') ? !isNeeded : !isWanted(path)) continue;
    // Deleted, and not committed yet.
    if (!existsSync(join(repository, path))) continue;
    await mkdir(dirname(join(into, path)), { recursive: true });
    await copyFile(join(repository, path), join(into, path));
  }
}

/**
 * Makes a repository that builds a chain of two images which only tests know, with everything rendered and in a commit: a
 * fork has other images, another config and other pins in the same places, and nothing of it may decide what the
 * template's tests say.
 */
export async function makeDemo(repository: string, into: string): Promise<void> {
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(into, path)), { recursive: true });
    await writeFile(join(into, path), text);
  };
  await copyForRuns(repository, into, (path) => path.startsWith('examples/'));
  await write('konflux.config.ts', CONFIG);
  await write('image1/Containerfile', containerfile(1));
  await write('image1/entrypoint.mts', PROGRAM_1);
  await write('image2/Containerfile', containerfile(2));
  await write('image2/entrypoint.mts', PROGRAM_2);
  await symlink(join(repository, 'node_modules'), join(into, 'node_modules'));
  git(into, 'init', '--quiet', '--initial-branch=main');
  await appendFile(join(into, '.git/info/exclude'), 'node_modules\n');
  const { chain, pins, folder } = await loadConfig(join(into, 'konflux.config.ts'));
  for (const { path, text } of render(chain, pins, folder)) await write(path, text);
  commitAll(into);
}
