import { mkdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { findChromium, openBrowser } from './open-browser.ts';
import { startDemo } from './start-demo.ts';

/*
 * `npm run screenshots`: the pictures of the README, out of a demonstration that runs while they are taken. They show
 * what was on the page, at the step at which it is worth seeing, and nothing is set for them.
 */

const folder = fileURLToPath(new URL('../../../docs/images/', import.meta.url));
const stepMsMax = 150_000;

interface View {
  readonly name: string;
  readonly scheme: 'light' | 'dark';
  readonly width: number;
  readonly height: number;
}

const views: readonly View[] = [
  { name: 'flow-light', scheme: 'light', width: 1360, height: 1200 },
  { name: 'flow-dark', scheme: 'dark', width: 1360, height: 1200 },
  { name: 'flow-phone', scheme: 'dark', width: 390, height: 844 },
];

const { path, missing } = findChromium('the screenshots');
if (path === undefined) throw new Error(missing);
mkdirSync(folder, { recursive: true });
const demo = await startDemo();
const browser = await openBrowser(path);
try {
  await take(browser);
} finally {
  await browser.close();
  await demo.stop();
}

async function take(browser: Browser): Promise<void> {
  const pages = await Promise.all(views.map((view) => openView(browser, view)));
  const [light, dark, phone] = pages;
  if (light === undefined || dark === undefined || phone === undefined)
    throw new Error('there are three views');
  // While a verifier is cut off, and its lease has run out.
  await light.page
    .locator('.step.running', { hasText: 'Cut a verifier off' })
    .waitFor({ timeout: stepMsMax });
  await light.page.locator('.step.running', { hasText: 'times 503' }).waitFor({ timeout: stepMsMax });
  await Promise.all([dark, phone].map(shoot));
  await shoot(light);
  await light.page.locator('.step.done', { hasText: 'Let it back' }).waitFor({ timeout: stepMsMax });
  await detail(light);
}

async function openView(browser: Browser, view: View) {
  const { scheme, width, height } = view;
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme });
  const page = await context.newPage();
  await page.goto(demo.signInUrl);
  await page.locator('.tiles').waitFor();
  return { page, view };
}

async function shoot({ page, view }: { readonly page: Page; readonly view: View }): Promise<void> {
  await save(page, view.name);
}

/** Pages besides the flow, for whoever looks the pictures through; they are kept small and out of the README. */
async function detail({ page }: { readonly page: Page }): Promise<void> {
  await page.locator('nav a', { hasText: 'Keys' }).first().click();
  await page.locator('.table tbody tr').first().waitFor();
  await save(page, 'keys-light');
}

async function save(page: Page, name: string): Promise<void> {
  const file = `${folder}${name}.png`;
  await page.screenshot({ path: file });
  process.stdout.write(`${file} ${Math.round(statSync(file).size / 1024)} kB\n`);
}
