import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { policyFiles } from './index.ts';
import { HAS_GO, Opa, REGO } from './testing/opa.ts';

const TESTS = fileURLToPath(new URL('../tests', import.meta.url));

interface Annotations {
  readonly title?: string;
  readonly description?: string;
  readonly custom?: Readonly<Record<string, unknown>>;
}

describe.skipIf(!HAS_GO)("the policy's Rego (skipped where there is no Go)", () => {
  let opa: Opa;
  beforeAll(() => {
    opa = new Opa();
  });
  afterAll(() => opa.close());

  it('passes strict checks, its own tests, and is formatted', () => {
    expect(opa.run('check', '--strict', ...opa.capabilities, REGO)).toBe('');
    expect(opa.run('test', ...opa.capabilities, REGO, TESTS)).toMatch(/^PASS: (\d+)\/\1\n$/);
    expect(opa.run('fmt', '--list', REGO, TESTS)).toBe('');
  });

  it('describes each rule as Conforma wants it, with a short name of its own', () => {
    const { annotations } = JSON.parse(opa.run('inspect', '--annotations', '--format', 'json', REGO)) as {
      annotations: { annotations: Annotations & { scope: string } }[];
    };
    const rules = annotations.map((entry) => entry.annotations).filter(({ scope }) => scope === 'rule');
    for (const { title, description, custom } of rules) {
      expect(title && description && custom?.solution).toBeTruthy();
      expect(custom).toMatchObject({ failure_msg: expect.stringContaining('%s'), collections: ['image_chain'] });
    }
    const names = rules.map(({ custom }) => custom?.short_name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(expect.arrayContaining(['unsealed', 'linked', 'attested', 'released_together']));
  });
});

it('is published as files of Rego alone, in an order that never changes', () => {
  const paths = policyFiles().map(({ path }) => path);
  expect(paths).toEqual([...paths].sort());
  expect(paths).toContain('image_chain/image_chain.rego');
  expect(paths.filter((path) => path.startsWith('lib/')).length).toBe(paths.length - 1);
});
