import { describe, expect, test } from 'vitest';
import { judge } from '../../criteria/criteria.ts';
import { origin, revision, type Sample, sealed, second, wellDone } from '../../testing/observation.ts';
import type { Report } from '../report.ts';
import { escapeHtml, html } from './markup.ts';
import { renderPage } from './page.ts';

function reportOf(seen: Sample): Report {
  const { repository } = seen.primary;
  const image = { revisionTag: revision, latestDigest: null };
  return {
    version: 1,
    target: 'local',
    status: 'passed',
    revision,
    uncommitted: [],
    baseImage: { pinned: [], used: 'base', note: 'a base' },
    images: [
      {
        ...image,
        role: 'primary',
        title: 'Image 1',
        embeds: [],
        repository,
        originDigest: origin,
        sealedDigest: sealed,
      },
      {
        ...image,
        role: 'metadata',
        title: 'Image 2',
        embeds: ['primary'],
        repository: 'registry.example/org/image2',
        originDigest: second,
        sealedDigest: null,
      },
    ],
    criteria: judge(seen),
    runs: [seen.build, ...seen.scanners.map(({ run }) => run)],
    duration: 12_345,
  };
}

test('shows every digest, every criterion and every task', () => {
  const report = reportOf(wellDone());
  const page = renderPage(report);
  for (const text of [origin, sealed, second, revision]) expect(page).toContain(text);
  for (const { title } of report.criteria) expect(page).toContain(escapeHtml(title));
  for (const { name } of report.runs.flatMap((run) => run.tasks))
    expect(page).toContain(`<th scope="row">${name}</th>`);
});

test('needs nothing from anywhere: no script, no link, no picture, no font', () => {
  const page = renderPage(reportOf(wellDone()));
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
      labels: { [`${seen.labelPrefix}.metadata-image.digest`]: attack },
    };
    seen.primary.output = { exitCode: 1, stdout: attack, stderr: '', stdoutBytes: new Uint8Array() };
    seen.primary.proof = { problem: attack };
    seen.scans = [{ run: attack, task: attack, result: attack, note: attack }];
    const page = renderPage(reportOf(seen));
    for (const raw of ['<script', '<img', '\u001b', '\u202e']) expect(page).not.toContain(raw);
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  });

  test('the template escapes what it is given, and only markup passes', () => {
    expect(html`<p title="${attack}">${attack}</p>`.text).not.toMatch(/<script|<img|"><|'alert/);
    expect(html`<ul>${[html`<li>${'<'}</li>`]}</ul>`.text).toBe('<ul><li>&lt;</li></ul>');
  });
});

test('stays small for a long run', () => {
  const seen = wellDone();
  const task = seen.build.tasks[0];
  if (task === undefined) throw new Error('the sample has tasks');
  seen.build = {
    ...seen.build,
    tasks: Array.from({ length: 200 }, (_, index) => ({ ...task, name: `task-${index}` })),
  };
  expect(renderPage(reportOf(seen)).length).toBeLessThan(200_000);
});
