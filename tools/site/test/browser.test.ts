import { expect } from 'chai';
import { readFileSync, readdirSync } from 'node:fs';
import type { AxeResults } from 'axe-core';
import { chromium, type Browser, type Page } from 'playwright-core';
import { findChromium } from '../src/chromium';
import { markKinds } from '../src/kinds';
import { dist, serve } from '../src/serve';

const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const widths = [1280, 360];

/** What axe finds wrong in what is shown, each with the place and the reason. */
async function contrast(page: Page): Promise<string[]> {
  expect(await page.evaluate(markKinds), 'kinds of text').to.be.above(3);
  const { violations } = await page.evaluate<AxeResults>(
    `axe.run({ include: ['[data-kind]'] }, { runOnly: ['color-contrast'], resultTypes: ['violations'] })`,
  );
  return violations.flatMap(({ nodes }) =>
    nodes.map(({ target, any }) => `${target.join(' ')}: ${any.map(({ message }) => message).join(' ')}`),
  );
}

const executablePath = findChromium();

// Where no browser is installed nothing of this can be seen; .ci/run installs one.
(executablePath === undefined ? describe.skip : describe)('the site in a browser', function () {
  this.timeout(120_000);
  let browser: Browser;
  let site: Awaited<ReturnType<typeof serve>>;
  let page: Page;
  let wrong: string[];

  before(async () => {
    site = await serve();
    // A container's root has no sandbox to be in; the pages are our own.
    browser = await chromium.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox'] });
  });
  // A page of its own for each test: what the last one was still fetching ahead is cancelled, and must not be held
  // against the next.
  beforeEach(async () => {
    page = await browser.newPage({ reducedMotion: 'reduce' });
    const seen: string[] = (wrong = []);
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') seen.push(`console: ${message.text()}`);
    });
    page.on('pageerror', ({ message }) => seen.push(`uncaught: ${message}`));
    page.on('requestfailed', (request) => seen.push(`${request.url()}: ${request.failure()?.errorText ?? 'failed'}`));
    page.on('response', (response) => {
      if (response.status() >= 400) seen.push(`${response.url()}: ${response.status()}`);
    });
  });
  afterEach(() => page.close());
  after(async () => {
    await browser.close();
    site.server.close();
  });

  const pages = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.html') && name !== '404.html',
  );
  for (const name of pages) {
    it(`fits a phone and a desk, by day and by night, without an error: ${name}`, async () => {
      await page.goto(`${site.url}/${name.replace(/(^|\/)index\.html$|\.html$/, '$1')}`, { waitUntil: 'load' });
      await page.waitForFunction(() => '__vue_app__' in (document.querySelector('#app') ?? {}));
      // What fades in or out has a colour of its own on the way.
      await page.addStyleTag({ content: '*, *::before, *::after { transition: none !important }' });
      await page.evaluate(axe);
      for (const width of widths) {
        await page.setViewportSize({ width, height: 900 });
        for (const dark of [false, true]) {
          await page.evaluate((on) => document.documentElement.classList.toggle('dark', on), dark);
          const where = `at ${width} px, ${dark ? 'dark' : 'light'}`;
          const beyond = await page.evaluate(
            () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
          );
          expect(beyond, `pixels beyond the edge ${where}`).to.equal(0);
          expect(await contrast(page), `contrast ${where}`).to.deep.equal([]);
        }
      }
      expect(wrong).to.deep.equal([]);
    });
  }

  it('finds what is searched for', async () => {
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.goto(site.url, { waitUntil: 'networkidle' });
    await page.keyboard.press('Control+k');
    await page.locator('#localsearch-input').fill('Who wins');
    await page.locator('.results .result').first().click();
    await page.waitForFunction(() => location.pathname === '/endings');
  });
});
