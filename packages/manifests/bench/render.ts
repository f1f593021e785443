import { cpuSeconds } from '@multi-image/testing/cpu-time';
import type { ChainConfig, RenderedFile } from '../src/index.ts';
import { checkConfig, configJsonSchema, planChain, readPins, render } from '../src/index.ts';

// What rendering costs inside the process, beside the goals: 150 ms for two images, 1 s for 200, and linear. In time of a
// processor, so that a machine that does something else says the same.

/** A chain of `size` images in which each embeds up to two others. */
function chainOf(size: number): ChainConfig {
  return {
    application: 'chain',
    namespace: 'tenant',
    git: { url: 'https://git.example/org/chain' },
    registry: 'quay.io/org',
    images: Array.from({ length: size }, (_, index) => ({
      role: `r${index}`,
      repository: `r${index}`,
      containerfile: 'Containerfile',
      component: `c${index}`,
      ...(index === 0 ? {} : { embeds: [...new Set([`r${index - 1}`, `r${Math.floor(index / 2)}`])] }),
    })),
  };
}

function measure(size: number): { first: number; best: number; bytes: number } {
  const config = chainOf(size);
  const times: number[] = [];
  let bytes = 0;
  for (let round = 0; round < 7; round += 1) {
    let files: readonly RenderedFile[] = [];
    const seconds = cpuSeconds(() => {
      const checked = checkConfig(config);
      if (checked.config === undefined) throw new Error(JSON.stringify(checked.issues));
      files = render(planChain(checked.config), readPins());
    });
    times.push(seconds * 1000);
    bytes = files.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
  }
  const [first = 0] = times;
  return { first, best: Math.min(...times), bytes };
}

const milliseconds = (time: number): string => `${time.toFixed(1)} ms`.padStart(10);
const rows = [2, 50, 100, 200].map((size) => ({ size, ...measure(size) }));
console.log('images      first       best   bytes      goal');
for (const { size, first, best, bytes } of rows) {
  const goal = size === 2 ? 150 : size === 200 ? 1000 : undefined;
  const verdict = goal === undefined ? '' : `≤ ${goal} ms: ${first <= goal ? 'met' : 'MISSED'}`;
  console.log(
    `${String(size).padStart(6)} ${milliseconds(first)} ${milliseconds(best)} ${String(bytes).padStart(7)}  ${verdict}`,
  );
  if (goal !== undefined && first > goal) process.exitCode = 1;
}
const [, , half, whole] = rows;
const growth = (whole?.best ?? 0) / (half?.best ?? 1);
console.log(
  `200 images take ${growth.toFixed(2)} × what 100 take; linear is 2.00; goal ≤ 2.60: ${growth <= 2.6 ? 'met' : 'MISSED'}`,
);
if (growth > 2.6) process.exitCode = 1;
console.log(`JSON Schema: ${(cpuSeconds(configJsonSchema) * 1000).toFixed(1)} ms`);
