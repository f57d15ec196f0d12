import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { leavesOut } from '@keyswarm/harness/leaves-out';
import type { Browser, Locator } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { findChromium, openBrowser } from './open-browser.ts';
import { startTestHouse, type TestHouse } from './test-house.ts';
import { faultsOfAccess, openPage, type PageOptions, signIn, type TestPage } from './test-page.ts';

/* The console as a person meets it: the built page, from a real server, in a real browser. */

const { path, missing } = findChromium('the tests of the console in a browser');
const build = fileURLToPath(new URL('../build/build-console.ts', import.meta.url));
const hostile = '<img src=x onerror=alert(1)><script>alert(2)</script>';

describe.skipIf(leavesOut(missing))('the console', () => {
  let house: TestHouse;
  let browser: Browser;
  let keyspace: string;
  const opened: TestPage[] = [];
  const load = new AbortController();

  beforeAll(async () => {
    execFileSync(process.execPath, [build, '--if-stale'], { stdio: 'ignore' });
    [house, browser] = await Promise.all([startTestHouse(), openBrowser(path ?? '')]);
    const made = await house.client.keyspaces.create({
      name: 'orders-live',
      prefix: 'orders_live',
      allowed_scopes: ['orders:*'],
      lease_seconds: 5,
    });
    keyspace = made.id;
  });
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
  });
  afterAll(async () => {
    load.abort();
    await browser?.close();
    await house?.close();
  });

  async function open(options?: PageOptions): Promise<TestPage> {
    const page = await openPage(browser, options);
    opened.push(page);
    return page;
  }
  async function openSignedIn(place = '', options?: PageOptions): Promise<TestPage> {
    const test = await open(options);
    await signIn(test, house.url, house.key);
    if (place !== '') await test.page.goto(`${house.url}/#${place}`);
    return test;
  }
  const issueKey = async (external_id: string, more: object = {}) => {
    const { id, secret = '' } = await house.client.keys.issue({
      keyspace,
      owner: { kind: 'service', external_id },
      scopes: ['orders:read'],
      ...more,
    });
    return { id, secret };
  };

  test('a key that the server does not know, and one that may not watch, are told apart and kept out', async () => {
    const { page } = await open();
    await page.goto(house.url);
    await page.getByLabel('Management key').fill('keyswarm_nonsense');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').getByText('does not know this key').waitFor();
    await page.getByLabel('Management key').fill(await house.manager(['keys:read']));
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').getByText('lacks the scope metrics:read').waitFor();
    const { secret } = await issueKey('no manager');
    await page.getByLabel('Management key').fill(secret);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page
      .getByRole('alert')
      .getByText('valid key of the keyspace orders-live, and not a management key')
      .waitFor();
    expect(await page.locator('.tiles').count()).toBe(0);
  });

  test('a key that is handed over in the address is out of it at once, is kept nowhere, and is gone after a reload', async () => {
    const test = await open();
    const { page, context, complaints } = test;
    await page.goto(`${house.url}/#key=${house.key}`);
    await page.locator('.tiles').waitFor();
    expect(page.url()).toBe(`${house.url}/#/flow`);
    const kept = await page.evaluate(
      'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])',
    );
    const inPage = await page.content();
    for (const place of [String(kept), inPage, JSON.stringify(await context.cookies())]) {
      expect(place).not.toContain(house.key);
    }
    await page.reload();
    await page.getByLabel('Management key').waitFor();
    expect(complaints).toEqual([]);
  });

  test('the figures move while keys are verified', async () => {
    const test = await openSignedIn();
    const { secret } = await issueKey('mover');
    const stop = new AbortController();
    const verifying = (async () => {
      while (!stop.signal.aborted) await house.client.keys.verify({ key: secret, keyspace });
    })();
    await expect
      .poll(
        () =>
          test.page
            .locator('[data-rate=verify]')
            .textContent()
            .then((text) => Number.parseFloat(text ?? '')),
        {
          timeout: 10_000,
        },
      )
      .toBeGreaterThan(0);
    await test.page.locator('.verdicts').getByText('valid').waitFor();
    stop.abort();
    await verifying;
    expect(test.complaints).toEqual([]);
  });

  test('a key is issued, its secret shown once and copied, rotated, and revoked with the bound of the promise', async () => {
    const { page, complaints } = await openSignedIn('/keys');
    await page.getByRole('button', { name: 'Issue a key' }).click();
    await page.getByLabel('Its id in your system').fill('billing');
    await page.getByLabel('Name, for people').fill('billing, production');
    await page.getByLabel('Scopes, separated by blanks').fill('orders:read');
    await page.getByRole('button', { name: 'Issue', exact: true }).click();

    const shown = page.getByLabel('Secret');
    const secret = await shown.inputValue();
    await page.getByRole('dialog').getByRole('button', { name: 'Copy' }).click();
    await page.getByText('Copied').waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(secret);
    expect((await house.client.keys.verify({ key: secret, keyspace })).code).toBe('valid');
    await page.getByRole('button', { name: 'I have stored it' }).click();
    await page.getByRole('heading', { name: 'billing, production' }).waitFor();
    expect(await page.content()).not.toContain(secret);

    await page.getByRole('button', { name: 'Rotate', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).click();
    const second = await page.getByLabel('Secret').inputValue();
    expect(second).not.toBe(secret);
    await page.getByRole('button', { name: 'I have stored it' }).click();
    await page.getByRole('button', { name: 'Finish the rotation' }).waitFor();

    await page.getByRole('button', { name: 'Revoke', exact: true }).click();
    await page.getByLabel('Why, for the audit record').fill('leaked');
    await page.getByRole('button', { name: 'Revoke for good' }).click();
    await page
      .getByRole('status')
      .getByText(/Effective by \d{4}-\d{2}-\d{2} .*no verifier accepts it/)
      .waitFor();
    await page.locator('.badge', { hasText: 'revoked' }).first().waitFor();
    expect((await house.client.keys.verify({ key: second, keyspace })).code).toBe('revoked');
    expect(complaints).toEqual([]);
  });

  test('names, notes and reasons are text, whatever stands in them', async () => {
    const { id } = await issueKey(hostile, { name: hostile, metadata: { note: hostile } });
    await house.client.keys.revoke(id, { reason: hostile });
    const { page, complaints } = await openSignedIn(`/keys/${id}`);
    await page.getByRole('heading', { name: hostile }).waitFor();
    for (const place of ['/keys', '/owners', '/events']) {
      await page.goto(`${house.url}/#${place}`);
      await page.getByText('onerror=alert(1)').first().waitFor();
    }
    expect(await page.locator('img, #app script').count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  test('a lost connection is shown as lost, keeps what was last known, and comes back by itself', async () => {
    const { page } = await openSignedIn();
    await page.locator('.badge.ok', { hasText: 'Live' }).waitFor();
    house.wire.set({ refuse: true });
    house.wire.reset();
    await page.getByRole('status').getByText('Not live.').waitFor();
    expect(await page.locator('.tiles').count()).toBe(1);
    house.wire.heal();
    await page.locator('.badge.ok', { hasText: 'Live' }).waitFor();
    expect(await page.getByText('Not live.').count()).toBe(0);
  });

  test('a key that is revoked while one is signed in leads back to the door, with the reason', async () => {
    const key = await house.manager(['metrics:read']);
    const test = await open();
    await signIn(test, house.url, key);
    const { items } = await house.client.keys.list({ keyspace: 'keyswarm', limit: 200 }).page();
    for (const { id, scopes, state } of items) {
      if (scopes[0] === 'metrics:read' && state === 'active') await house.client.keys.revoke(id);
    }
    await test.page.getByRole('alert').getByText('Your session has ended').waitFor();
  });

  test('what happened before is there when one looks at the events, the newest first, and what happens comes on top', async () => {
    const { id } = await issueKey('before');
    const { page } = await openSignedIn('/events');
    await page.locator('.event').first().getByText(id.slice(-5)).waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    const { id: later } = await issueKey('during a pause');
    await page.getByRole('button', { name: 'Follow again' }).click();
    await page.locator('.event').first().getByText(later.slice(-5)).waitFor();
    expect(await page.locator('.event', { hasText: id.slice(-5) }).count()).toBe(1);
  });

  test('a webhook that fails is said to, with what came of it, on its page and on the flow', async () => {
    // Nobody listens on port 1.
    const { id } = await house.client.webhooks.create({ url: 'http://127.0.0.1:1/hook' });
    await issueKey('told to nobody');
    const { page } = await openSignedIn('/webhooks');
    await page.locator('.badge.warn', { hasText: 'failing' }).waitFor();
    await page.getByText('it can not be reached').waitFor();
    await page.goto(`${house.url}/#/flow`);
    await page
      .locator('.note.warn', { hasText: 'A webhook takes no events: it can not be reached' })
      .waitFor();
    await house.client.webhooks.delete(id);
  });

  test('the look is chosen by its name, and kept', async () => {
    const { page } = await openSignedIn('', { colorScheme: 'dark' });
    const look = page.getByLabel('Colours');
    expect(await look.locator('option').allTextContents()).toEqual(['As the device', 'Light', 'Dark']);
    await look.selectOption('Light');
    expect(await page.locator('html').getAttribute('data-theme')).toBe('light');
    await page.reload();
    await page.getByLabel('Management key').waitFor();
    expect(await page.locator('html').getAttribute('data-theme')).toBe('light');
  });

  test.each([1280, 1100, 390])('at %i pixels nothing stands over the edge of its card', async (width) => {
    const { page } = await openSignedIn('', { width, height: 900 });
    await page.locator('.card', { hasText: 'Latency' }).waitFor();
    const over = await page.evaluate(
      "[...document.querySelectorAll('.card')].filter((card) => card.scrollWidth > card.clientWidth).map((card) => card.ariaLabel)",
    );
    expect(over).toEqual([]);
  });

  test('a table that is cut off says so where it is, and only there', async () => {
    await issueKey('cut off', { name: 'a key with a name that takes its room' });
    const phone = await openSignedIn('/keys', { width: 360, height: 720 });
    await phone.page.locator('tbody tr').first().waitFor();
    await phone.page.getByText('More columns').waitFor();
    expect(await phone.page.locator('.more-after').count()).toBe(1);
    await phone.page.evaluate("document.querySelector('.table-scroll').scrollLeft = 10_000");
    await phone.page.locator('.more-before:not(.more-after)').waitFor();
    const wide = await openSignedIn('/keys', { width: 1800, height: 900 });
    await wide.page.locator('tbody tr').first().waitFor();
    expect(await wide.page.getByText('More columns').count()).toBe(0);
  });

  test('everything can be done by keyboard: in, along, into a dialog, and out of it to where one was', async () => {
    const { page, complaints } = await open();
    await page.goto(house.url);
    await page.getByLabel('Management key').waitFor();
    await page.keyboard.type(house.key);
    await page.keyboard.press('Enter');
    await page.locator('.tiles').waitFor();
    await page.keyboard.press('Tab');
    await page.getByRole('button', { name: 'Skip to the page' }).and(page.locator(':focus')).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    const issue = page.getByRole('button', { name: 'Issue a key' });
    await issue.waitFor();
    for (let presses = 0; presses < 30 && !(await isFocused(issue)); presses += 1)
      await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await isFocused(issue)).toBe(true);
    expect(complaints).toEqual([]);
  });

  test.each(['light', 'dark'] as const)(
    'WCAG A and AA find nothing against it, contrast included: %s',
    async (colorScheme) => {
      const { id } = await issueKey(`seen-${colorScheme}`, { name: 'seen' });
      const { id: ended } = await issueKey(`ended-${colorScheme}`, { name: 'ended' });
      await house.client.keys.revoke(ended);
      const test = await open({ colorScheme });
      await test.page.goto(house.url);
      await test.page.getByLabel('Management key').waitFor();
      expect(await faultsOfAccess(test)).toEqual([]);
      await signIn(test, house.url, house.key);
      expect(await faultsOfAccess(test)).toEqual([]);
      for (const [place, mark] of [
        ['/keys', 'tbody tr'],
        [`/keys/${id}`, '.facts'],
        ['/keyspaces', '.facts'],
        ['/events', '.event'],
        ['/verifiers', 'tbody tr'],
      ] as const) {
        await test.page.goto(`${house.url}/#${place}`);
        await test.page.locator(mark).first().waitFor();
        expect(await faultsOfAccess(test), place).toEqual([]);
      }
    },
  );

  test('on a phone of 360 pixels no page is wider than the screen', async () => {
    const { page, complaints } = await openSignedIn('', { width: 360, height: 720 });
    for (const place of [
      'flow',
      'keys',
      'owners',
      'keyspaces',
      'campaigns',
      'approvals',
      'events',
      'webhooks',
      'verifiers',
    ]) {
      await page.goto(`${house.url}/#/${place}`);
      await page.locator('.page h1').waitFor();
      const wide = await page.evaluate(
        'document.documentElement.scrollWidth - innerWidth + document.querySelector("main").scrollWidth - document.querySelector("main").clientWidth',
      );
      expect(wide, place).toBe(0);
    }
    expect(complaints).toEqual([]);
  });
});

/** Does it have the focus? */
async function isFocused(locator: Locator): Promise<boolean> {
  return (await locator.and(locator.page().locator(':focus')).count()) === 1;
}
