import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { BUILT_IN_PINS, readPins } from '../pins.ts';
import { render } from '../render/render.ts';
import { planChain } from './plan.ts';
import { retarget } from './retarget.ts';

const config = (registry: string, url: string, namespace: string) => ({
  application: 'operator',
  namespace,
  git: { url },
  registry,
  images: [
    { role: 'operator', component: 'operator', repository: 'deep/operator', containerfile: 'a' },
    { role: 'bundle', component: 'bundle', embeds: ['operator'], repository: 'bundle', containerfile: 'b' },
    { role: 'catalog', component: 'catalog', embeds: ['bundle'], repository: 'catalog', containerfile: 'c' },
  ],
});

test('renders as if the config had said so', () => {
  const there = ['ghcr.io/other', 'https://git.example/other', 'elsewhere'] as const;
  const chain = planChain(config('quay.io/acme', 'https://github.com/acme/operator', 'tenant'));
  const before = JSON.stringify(render(chain, readPins(BUILT_IN_PINS)));
  const moved = retarget(chain, { registry: there[0], gitUrl: there[1], namespace: there[2] });
  const expected = render(planChain(config(...there)), readPins(BUILT_IN_PINS));
  expect(render(moved, readPins(BUILT_IN_PINS))).toEqual(expected);
  expect(JSON.stringify(render(chain, readPins(BUILT_IN_PINS)))).toBe(before);
});

test('a registry with a port is one, too', () => {
  const chain = retarget(planChain(config('quay.io/acme', 'https://github.com/acme/operator', 'tenant')), {
    registry: 'registry.svc:5000',
  });
  const [bundle] = chain.primary.embeddedBy;
  expect(bundle).toBe(chain.images[1]);
  expect(bundle?.embeds[0]?.repository).toBe('registry.svc:5000/deep/operator');
  const run = render(chain, readPins(BUILT_IN_PINS)).find(({ path }) => path === '.tekton/operator-push.yaml');
  const params = parseAllDocuments(run?.text ?? '')
    .at(-1)
    ?.toJS().spec.params;
  expect(params).toContainEqual({ name: 'output-image', value: 'registry.svc:5000/deep/operator:{{revision}}' });
});
