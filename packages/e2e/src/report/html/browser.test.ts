import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import axe from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { focusContrast, worstContrast } from '../../testing/contrast.ts';
import { attested, chainOfMany, chainOfThree, reportFor } from '../../testing/report.ts';
import type { Report } from '../report.ts';
import { renderPage } from './page.ts';

const PROGRAMS = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
];
const executablePath = PROGRAMS.find((program) => {
  try {
    accessSync(program, constants.X_OK);
    return true;
  } catch {
    return false;
  }
});

/** Values that are markup, that are long, and that turn text around. */
const ATTACK = `"><script>window.hacked=1</script><img src=x onerror="window.hacked=1"><style>*{display:none}</style>\u202e${'w'.repeat(300)}`;

function sample(hostile: boolean): Report {
  const seen = attested();
  if (hostile) {
    seen.build.name = ATTACK;
    seen.build.status = 'Failed';
    seen.build.message = ATTACK;
    seen.scans = [{ run: ATTACK, task: ATTACK, result: ATTACK, note: ATTACK }];
    seen.metadata.repository = ATTACK;
    seen.primary.proof = [
      { id: 'signature', role: ATTACK, status: 'failed', evidence: ATTACK, expected: ATTACK, found: ATTACK },
    ];
  }
  const report = reportFor(seen, {
    target: 'tenant',
    cluster: {
      server: 'https://api.example:6443',
      namespace: hostile ? ATTACK : 'my-tenant',
      application: 'chain',
      snapshots: ['chain-1'],
    },
  });
  const long = 'quay.io/redhat-user-workloads/a-tenant-with-a-long-name/an-image';
  return { ...report, images: report.images.map((image) => (hostile ? image : { ...image, repository: long })) };
}

describe.skipIf(executablePath === undefined)('in a real browser (skipped where there is no chromium)', () => {
  let browser: Browser;
  let page: Page;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'e2e-browser-'));
    await writeFile(join(folder, 'good.html'), renderPage(sample(false)));
    await writeFile(join(folder, 'three.html'), renderPage(reportFor(chainOfThree())));
    await writeFile(join(folder, 'many.html'), renderPage(reportFor(chainOfMany(12))));
    await writeFile(join(folder, 'hostile.html'), renderPage(sample(true)));
    const args = [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ];
    browser = await chromium.launch({ ...(executablePath === undefined ? {} : { executablePath }), args });
    // One for all: each context of its own is a process that takes a second to start.
    page = await browser.newPage();
  });
  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function open(
    name: 'good' | 'hostile' | 'three' | 'many',
    options: { viewport?: { width: number; height: number } },
    look: (page: Page) => Promise<void>,
  ) {
    const { viewport = { width: 1280, height: 720 } } = options;
    const asked: string[] = [];
    const complaints: string[] = [];
    const url = pathToFileURL(join(folder, `${name}.html`)).href;
    await page.goto('about:blank');
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme: 'light', media: null });
    page.on('request', (request) => asked.push(request.url()));
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    try {
      await page.goto(url);
      await look(page);
      expect(asked).toEqual([url]);
      expect(complaints).toEqual([]);
    } finally {
      page.removeAllListeners();
    }
  }

  const sizes = [
    ['a phone', { width: 360, height: 740 }],
    ['a desktop', { width: 1280, height: 800 }],
  ] as const;
  for (const name of ['good', 'hostile', 'three', 'many'] as const) {
    for (const [device, viewport] of sizes) {
      test(`${name} values on ${device}: fits, runs nothing, asks for nothing, can be read in light and in dark`, async () => {
        await open(name, { viewport }, async (page) => {
          expect(await page.evaluate('window.hacked')).toBeUndefined();
          expect(await page.locator('script, img, main style').count()).toBe(0);
          for (const colorScheme of ['light', 'dark'] as const) {
            await page.emulateMedia({ colorScheme });
            expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(viewport.width);
            expect(await page.getByRole('heading', { level: 1 }).isVisible()).toBe(true);
            expect(await page.evaluate(worstContrast), colorScheme).toBeGreaterThanOrEqual(4.5);
          }
        });
      });
    }
  }

  test('every criterion opens and closes from the keyboard', async () => {
    await open('good', {}, async (page) => {
      const summaries = page.locator('summary');
      const count = await summaries.count();
      expect(count).toBe(6);
      for (let index = 0; index < count; index++) {
        await page.keyboard.press('Tab');
        expect(await page.evaluate(`document.querySelectorAll('summary')[${index}] === document.activeElement`)).toBe(
          true,
        );
        const details = page.locator('details').nth(index);
        const before = await details.getAttribute('open');
        await page.keyboard.press('Enter');
        expect((await details.getAttribute('open')) === null).toBe(before !== null);
      }
    });
  });

  test('where the keyboard is can be seen, in light and in dark', async () => {
    await open('good', {}, async (page) => {
      await page.keyboard.press('Tab');
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        const outline = `(({ outlineStyle, outlineWidth }) => [outlineStyle, outlineWidth])(getComputedStyle(document.activeElement))`;
        expect(await page.evaluate(outline)).toEqual(['solid', '3px']);
        expect(await page.evaluate(focusContrast), colorScheme).toBeGreaterThanOrEqual(3);
      }
    });
  });

  test('the arrows are drawn where there is room, and end at their images', async () => {
    await open('three', { viewport: { width: 1280, height: 800 } }, async (page) => {
      const shown = `[...document.querySelectorAll('.strip svg')].map((one) => one.getClientRects().length)`;
      expect(await page.evaluate(shown)).toEqual([1, 1]);
      const boxes = await page.evaluate(
        `[...document.querySelectorAll('.image')].map((one) => [one.querySelector('h3').textContent, one.getBoundingClientRect().left])`,
      );
      const left = new Map(boxes as [string, number][]);
      expect(left.get('E operator, sealed')).toBe(left.get('A operator, as built'));
      expect(left.get('D bundle, sealed')).toBe(left.get('B bundle, as built'));
      expect(left.get('C catalog')).toBeGreaterThan(left.get('B bundle, as built') ?? Infinity);
    });
    await open('three', { viewport: { width: 360, height: 740 } }, async (page) => {
      expect(await page.locator('.strip').first().isVisible()).toBe(false);
      expect(await page.getByText('labelled with').count()).toBe(3);
    });
  });

  test('nothing is told by colour alone: what has the colour of a status has its word or sign', async () => {
    await open('good', {}, async (page) => {
      const texts = (await page.evaluate(
        `[...document.querySelectorAll('.mark, td.skipped, caption span')].map((one) => one.textContent.trim())`,
      )) as string[];
      expect(texts.length).toBeGreaterThan(20);
      for (const text of texts) expect(text).toMatch(/[a-z]{4}/i);
    });
  });

  test('makes sense without seeing it: landmarks, names, a table with captions and headers', async () => {
    await open('good', {}, async (page) => {
      expect(await page.title()).toContain('passed');
      expect(await page.locator('html').getAttribute('lang')).toBe('en');
      expect(await page.getByRole('main').count()).toBe(1);
      expect(await page.getByRole('table').count()).toBe(2);
      expect(await page.locator('table > caption').count()).toBe(2);
      expect(await page.getByRole('columnheader').count()).toBe(6);
      expect(await page.getByRole('rowheader').count()).toBe(4);
      expect(await page.getByRole('region').count()).toBe(4);
      expect(await page.getByRole('banner').count()).toBe(1);
      expect(await page.locator('svg:not([aria-hidden] svg)').count()).toBe(0);
      const headings = `[...document.querySelectorAll('h1, h2, h3')].map((heading) => Number(heading.tagName[1]))`;
      const levels = (await page.evaluate(headings)) as number[];
      for (const [index, level] of levels.entries()) {
        expect(level - (levels[index - 1] ?? 0)).toBeLessThanOrEqual(1);
      }
      expect(await page.locator('[role=img]:not([aria-label])').count()).toBe(0);
    });
  });

  test.each(['good', 'hostile'] as const)('axe finds no violation in %s', async (name) => {
    await open(name, { viewport: { width: 360, height: 740 } }, async (page) => {
      await page.evaluate(axe.source);
      const { violations } = (await page.evaluate('axe.run()')) as { violations: { id: string; nodes: unknown[] }[] };
      expect(violations.map(({ id, nodes }) => `${id}: ${JSON.stringify(nodes[0]).slice(0, 300)}`)).toEqual([]);
    });
  });

  test('printed, what is folded is there too', async () => {
    await open('good', {}, async (page) => {
      await page.emulateMedia({ media: 'print' });
      const folded = `[...document.querySelectorAll('.checks li')].filter((item) => item.getBoundingClientRect().height === 0)`;
      const hidden = await page.evaluate(`${folded}.length`);
      expect(hidden).toBe(0);
      expect((await page.pdf({ format: 'A4' })).length).toBeGreaterThan(10_000);
    });
  });
});
