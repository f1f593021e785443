import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readCommands } from '@multi-image/testing/document-commands';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';

const EXAMPLES = fileURLToPath(new URL('../../../../examples/', import.meta.url));
const EXAMPLE = join(EXAMPLES, 'operator-with-daemon');
const opm = (...args: readonly string[]) => spawnSync('opm', args, { encoding: 'utf8' });
const has = opm('version').status === 0;
const digest = (digit: string): string => `sha256:${digit.repeat(64)}`;
const documents = (text: string): unknown[] => parseAllDocuments(text).map((document) => document.toJS());

// .ci/opm builds it, and prints the folder to put on the PATH.
describe.skipIf(!has)(`what opm says of the operator example${has ? '' : ' (skipped: no opm here)'}`, () => {
  const image = (name: string): string => `quay.io/your-quay-org/node-${name}:v0.1.0`;
  const released = (name: string, digit: string): string => `registry.redhat.io/my-org/node-${name}@${digest(digit)}`;
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'opm-test-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const render = (bundle: string, ...options: readonly string[]): string => {
    const template = 'quay.io/your-quay-org/{{.Package}}-bundle:v{{.Version}}';
    const { stdout, stderr } = opm('render', ...options, '-o=yaml', `--alpha-image-ref-template=${template}`, bundle);
    return stdout === '' ? stderr : stdout;
  };

  /** As the stage in front of a Containerfile does it. */
  function pin(from: string, to: string, names: readonly string[]): ReturnType<typeof spawnSync> {
    const variables = { operator: '1', agent: '2', 'operator-bundle': '4' };
    const env = Object.fromEntries(
      Object.entries(variables).map(([name, digit]) => [name.toUpperCase(), released(`${name}-rhel9`, digit)]),
    );
    const pins = names.map((name) => `${image(name)}=${name.toUpperCase()}`);
    const theirs = `quay.io/your-other-team/node-daemon:v0.1.0=DAEMON`;
    const args = [join(EXAMPLE, 'pin-images.mts'), from, to, ...pins, theirs];
    return spawnSync(process.execPath, args, {
      encoding: 'utf8',
      env: { ...process.env, ...env, DAEMON: released('daemon-rhel9', '3') },
    });
  }

  test('the catalog in git is what it renders of the bundle, as docs/operators.md has it', () => {
    const [block] = readCommands(join(EXAMPLES, '../docs/operators.md')).filter(({ by }) =>
      by?.includes('opm.test.ts'),
    );
    const rendered = execFileSync('bash', ['-euc', block?.text ?? ''], { cwd: EXAMPLE, encoding: 'utf8' });

    const committed = documents(readFileSync(join(EXAMPLE, 'catalog/catalog.yaml'), 'utf8'));
    expect(committed.slice(0, 2)).toMatchObject([{ schema: 'olm.package' }, { schema: 'olm.channel' }]);
    expect(committed.slice(2)).toEqual(documents(rendered));
  });

  test('bundle and catalog are valid with digests in them, which it finds again', () => {
    const bundle = join(folder, 'bundle');
    mkdirSync(bundle);
    cpSync(join(EXAMPLE, 'bundle/metadata'), join(bundle, 'metadata'), { recursive: true });
    const all = ['operator', 'agent'];
    expect(pin(join(EXAMPLE, 'bundle/manifests'), join(bundle, 'manifests'), all)).toMatchObject({ status: 0 });
    const digests = [released('operator-rhel9', '1'), released('agent-rhel9', '2'), released('daemon-rhel9', '3')];
    const [rendered] = documents(render(bundle, '--migrate')) as [{ relatedImages: { image: string }[] }];
    const related = rendered.relatedImages.map((each) => each.image);
    expect(related.toSorted()).toEqual([...digests, image('operator-bundle')].toSorted());
    const catalog = join(folder, 'catalog');
    expect(pin(join(EXAMPLE, 'catalog'), catalog, [...all, 'operator-bundle'])).toMatchObject({ status: 0 });
    expect(opm('validate', catalog)).toMatchObject({ status: 0 });
    const [, , entry] = documents(readFileSync(join(catalog, 'catalog.yaml'), 'utf8')) as {
      relatedImages: unknown[];
    }[];
    expect(entry?.relatedImages).toEqual(
      expect.arrayContaining(digests.map((each) => expect.objectContaining({ image: each }))),
    );
  });

  test('what it packs where it is not asked to migrate is refused, since tags are in there', () => {
    const from = join(folder, 'packed');
    mkdirSync(from);
    writeFileSync(join(from, 'catalog.yaml'), render(join(EXAMPLE, 'bundle')));
    const { status, stderr } = pin(from, join(folder, 'refused'), ['operator', 'agent', 'operator-bundle']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('opm render --migrate')]);
  });

  test('the template of the other example becomes a valid catalog, too', () => {
    const example = join(EXAMPLES, 'operator-bundle-catalog');
    const catalog = join(folder, 'filled');
    const env = { ...process.env, BUNDLE_URL: `quay.io/your-quay-org/my-operator-bundle@${digest('5')}` };
    const args = [join(example, 'fill-in.mts'), join(example, 'catalog/configs'), catalog];
    execFileSync(process.execPath, args, { env });
    expect(opm('validate', catalog)).toMatchObject({ status: 0, stderr: '' });
  });
});
