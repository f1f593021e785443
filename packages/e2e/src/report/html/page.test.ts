import { escapeMarkup } from '@multi-image/kit/markup';
import { describe, expect, test } from 'vitest';
import { origin, revision, sealed, second, wellDone } from '../../testing/observation.ts';
import { attested, chainOfThree, reportFor } from '../../testing/report.ts';
import { html } from './markup.ts';
import { renderPage } from './page.ts';

test('shows every digest, every criterion and every task', () => {
  const report = reportFor(wellDone());
  const page = renderPage(report);
  for (const text of [origin, sealed, second, revision]) expect(page).toContain(text);
  for (const { title } of report.criteria) expect(page).toContain(escapeMarkup(title, ''));
  for (const { name } of report.runs.flatMap((run) => run.tasks))
    expect(page).toContain(`<th scope="row">${name}</th>`);
});

test('needs nothing from anywhere: no script, no link, no picture, no font', () => {
  const page = renderPage(reportFor(wellDone()));
  expect(page).not.toMatch(/<(script|link|img|iframe|object|base)\b|\bsrc=|@import|url\(/i);
  expect(page).toContain("default-src 'none'");
});

describe('markup in values stays text', () => {
  const attack = `"><script>alert(1)</script><img src=x onerror='alert(2)'>\u001b[31m\u202e&`;

  test('wherever a value can come from outside', () => {
    const seen = wellDone();
    seen.build = { ...seen.build, name: attack, status: 'Failed' };
    seen.primary.repository = attack;
    seen.primary.published = {
      ...seen.primary.published,
      labels: { [seen.labelNames.digestOf('metadata')]: attack },
    };
    seen.primary.output = { exitCode: 1, stdout: attack, stderr: '', stdoutBytes: new Uint8Array() };
    seen.primary.proof = { problem: attack };
    seen.scans = [{ run: attack, task: attack, result: attack, note: attack }];
    const page = renderPage(reportFor(seen));
    for (const raw of ['<script', '<img', '\u001b', '\u202e']) expect(page).not.toContain(raw);
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  });

  test('the template escapes what it is given, and only markup passes', () => {
    expect(html`<p title="${attack}">${attack}</p>`.text).not.toMatch(/<script|<img|"><|'alert/);
    expect(html`<ul>${[html`<li>${'<'}</li>`]}</ul>`.text).toBe('<ul><li>&lt;</li></ul>');
  });
});

describe('the picture', () => {
  const text = (page: string): string => page.replaceAll(/<[^>]*>/g, '').replaceAll(/\s+/g, ' ');

  test('says both directions, with the digests that matter, and who signed', () => {
    const page = text(renderPage(reportFor(attested())));
    expect(page).toContain(`A Image 1, as built registry.example/org/image1 ${origin}`);
    expect(page).toContain('built with A sha256:111111111111… inside, Image 1, as built');
    expect(page).toContain('labelled with B sha256:333333333333…, Image 2');
    expect(page).toContain('without its seal it is A sha256:111111111111… again, byte for byte');
    expect(page).toContain('✓ signature signed by ECDSA P-256 sha256:1c3bc7b5c88c');
    expect(page).toContain('✓ attested: the images name each other by digest');
    expect(page).toContain('A is built into B');
    expect(page).toContain('B is sealed into C');
  });

  test('of three images has what each is labelled with, sealed from the last on', () => {
    const page = text(renderPage(reportFor(chainOfThree())));
    expect(page).toMatch(
      /A operator, as built.* B bundle, as built.* C catalog.* D bundle, sealed.* E operator, sealed/,
    );
    expect(page).toMatch(/D bundle, sealed[^✓–✗]*labelled with C sha256:[0-9a-f]{12}…, catalog/);
    expect(page).toMatch(/E operator, sealed[^✓–✗]*labelled with D sha256:[0-9a-f]{12}…, bundle, sealed/);
  });

  test('linked by statements alone, says so and has nothing sealed', () => {
    const seen = attested();
    seen.primary.seal = 'referrer';
    const page = text(renderPage(reportFor(seen)));
    expect(page).toContain('a statement beside it should name B Image 2');
    expect(page).toContain('a statement beside A should name B');
    expect(page).not.toContain('Image 1, sealed');
    Object.assign(seen.primary.published, { digest: origin });
    expect(text(renderPage(reportFor(seen)))).toContain('a statement beside it names B Image 2');
  });

  test('of a run that failed says what is not there, and proves nothing', () => {
    const seen = attested();
    const nothing = { reference: '', labels: {}, env: {}, problem: 'not found' };
    Object.assign(seen.primary, { published: nothing, latest: nothing, proof: { problem: 'not found' } });
    const page = text(renderPage(reportFor(seen)));
    expect(page).toContain('Image 1, sealed registry.example/org/image1 not published');
    expect(page).toContain('should be labelled with B');
    expect(page).toContain('✗ not proved');
    expect(page).not.toContain('cosign verify');
  });
});

test('of a run that failed, the first cause stands before everything else', () => {
  const seen = wellDone();
  const error = ['error LINK_MISMATCH: another image', '  found: <b>'];
  const tasks = seen.build.tasks.map((task) =>
    task.name === 'label-image-1' ? { ...task, status: 'Failed', logTail: ['before', ...error] } : task,
  );
  seen.build = { ...seen.build, status: 'Failed', tasks };
  const page = renderPage(reportFor(seen));
  expect(page).toContain('<pre><code>error LINK_MISMATCH: another image\n  found: &lt;b&gt;</code></pre>');
  expect(page.indexOf('First cause')).toBeLessThan(page.indexOf('The chain'));
  expect(renderPage(reportFor(wellDone()))).not.toContain('First cause');
});

test('without runs there is no timeline', () => {
  expect(renderPage(reportFor(wellDone()))).toContain('Timeline');
  expect(renderPage(reportFor(wellDone(), { target: 'published', runs: [] }))).not.toContain('Timeline');
});

test('stays small for a long run', () => {
  const seen = wellDone();
  const task = seen.build.tasks[0];
  if (task === undefined) throw new Error('the sample has tasks');
  seen.build = {
    ...seen.build,
    tasks: Array.from({ length: 200 }, (_, index) => ({ ...task, name: `task-${index}` })),
  };
  expect(Buffer.byteLength(renderPage(reportFor(seen)))).toBeLessThan(200_000);
});
