import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, BrowserContext, Page } from 'playwright-core';

/** What a page has complained of: errors on its console, exceptions, breaches of its policy, dialogs. */
export interface TestPage {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly complaints: string[];
  close(): Promise<void>;
}

export interface PageOptions {
  readonly colorScheme?: 'light' | 'dark';
  readonly width?: number;
  readonly height?: number;
}

/** How long anything on a page may take before a test says that it does not come. */
const patienceMs = 15_000;

export async function openPage(browser: Browser, options: PageOptions = {}): Promise<TestPage> {
  const { colorScheme = 'light', width = 1280, height = 900 } = options;
  const context = await browser.newContext({ colorScheme, viewport: { width, height } });
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const page = await context.newPage();
  page.setDefaultTimeout(patienceMs);
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('dialog', (dialog) => {
    complaints.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return { page, context, complaints, close: () => context.close() };
}

/** Signs in as a person does. */
export async function signIn({ page }: TestPage, url: string, key: string): Promise<void> {
  await page.goto(url);
  await page.getByLabel('Management key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('.tiles').waitFor();
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
  }[];
}

/** What WCAG 2.1 A and AA have against the page as it stands, as far as a program can tell. */
export async function faultsOfAccess({ page }: TestPage): Promise<readonly string[]> {
  // Evaluated by the browser itself: the policy of the page binds what the page loads.
  await page.evaluate(axeSource);
  const run = "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] })";
  const { violations } = (await page.evaluate(run)) as AxeResult;
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary ?? ''}`),
  );
}
