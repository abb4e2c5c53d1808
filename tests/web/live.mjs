// The live views: focus, map, combinations, offline, and every bar against the CSV. browser.mjs runs these with its own tools.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export function liveTests(tests, { BASE, R, RELEASE, aggregates, withPage, settle, kept, digits }) {
  const columns = JSON.parse(readFileSync(join(RELEASE, 'datapackage.json'), 'utf8')).resources.find(r => r.path === 'data/microdata.csv').schema.fields;
  const chart = (page, title) => page.locator('figure.live', { has: page.locator('h3', { hasText: new RegExp(`^${title}$`) }) });

  tests['live: every bar is the CSV’s number, with its interval, or says that there is none'] = () => withPage({}, async page => {
    await page.goto(`${BASE}${R}/explore?lang=en&where=gender:Woman`);
    await settle(page);
    let checked = 0, silent = 0;
    for (const group of ['typeOfExploit', 'meansOfControl', 'recruiterRelation', 'typeOfLabour', 'typeOfSex']) {
      await page.locator(`figure[aria-labelledby="chart-${group}"] .row`).first().waitFor();
      for (const column of columns.filter(c => c['suha:group'] === group)) {
        const label = column.title.replace(/^[^:]*: /, '');
        const row = page.locator(`figure[aria-labelledby="chart-${group}"] .row`).filter({ has: page.locator('.row-label', { hasText: new RegExp(`^${label}$`) }) });
        const released = aggregates.get(`gender=Woman;${column.name}=1`), text = await row.locator('.row-value').innerText();
        if (released) {
          assert.equal(digits(text.split(/\s/)[0]), Number(released.count), column.name);
          const whole = n => Math.round(n).toLocaleString('en');
          const interval = `${whole(Math.floor(released.ci_low))} to ${whole(Math.ceil(released.ci_high))}`;
          assert.ok((await row.locator('.sr').innerText()).includes(interval), `${column.name}: ${interval}`);
          assert.equal(await row.locator('.whisker').count(), 1, column.name);
        } else {
          silent++;
          assert.equal(text, 'not released', column.name);
        }
        checked++;
      }
    }
    assert.ok(checked >= 20, `${checked}`);
    for (const text of await page.$$eval('[data-state="suppressed"].row-value, [data-state="absent"].row-value', all => all.map(e => e.textContent.trim())))
      assert.match(text, /^(not released|none seen|–)$/);
  });

  tests['live: one tab stop per chart, arrows inside, Enter chooses and takes back'] = () => withPage({}, async page => {
    await page.goto(`${BASE}${R}/explore`);
    await settle(page);
    for (const stops of await page.$$eval('figure.live ul.rows, figure.live ul.columns-plot, figure.live table.grid',
      all => all.map(e => [...e.querySelectorAll('[data-mark]')].filter(m => m.tabIndex === 0).length))) assert.equal(stops, 1);
    const rows = chart(page, 'Type of exploitation').locator('.row');
    await rows.first().focus();
    await page.keyboard.press('ArrowDown');
    assert.ok(await rows.nth(1).evaluate(e => e === document.activeElement));
    await page.keyboard.press('End');
    assert.ok(await rows.last().evaluate(e => e === document.activeElement));
    await page.keyboard.press('Home');
    await page.keyboard.press('Enter');
    await page.waitForURL(/where=isForcedLabour:1/);
    assert.equal(await rows.first().getAttribute('aria-pressed'), 'true');
    assert.ok(await rows.first().evaluate(e => e === document.activeElement), 'focus was lost');
    await page.keyboard.press('Enter');
    await page.waitForURL(url => !url.search.includes('where'));
  });

  tests['live: the map is fetched when it comes into view, and a country is a filter'] = () => withPage({ viewport: { width: 1280, height: 500 } }, async page => {
    const asked = [];
    page.on('request', r => asked.push(r.url()));
    await page.goto(`${BASE}${R}/explore?lang=en`);
    await settle(page);
    assert.ok(!asked.some(u => u.includes('/assets/world.') || u.includes('/assets/places.')), 'the map was loaded unseen');
    await page.locator('.map-place').scrollIntoViewIfNeeded();
    const country = page.locator('.country').first();
    await country.waitFor();
    const words = await country.getAttribute('aria-label');
    await country.focus();
    await page.keyboard.press('Enter');
    await page.waitForURL(/where=citizenship:[A-Z]{3}/);
    const code = new URL(page.url()).searchParams.get('where').split(':')[1], released = aggregates.get(`citizenship=${code}`);
    assert.equal(digits(words.match(/: ([\d,]+) people/)[1]), Number(released.count));
    await page.waitForFunction(n => document.querySelector('.total strong').textContent.replace(/\D/g, '') === n, released.count);
    await page.getByRole('button', { name: 'Corridors' }).click();
    await page.locator('svg.flows').waitFor();
    await page.locator('.flow').first().focus();
    await page.keyboard.press('ArrowDown');
    assert.ok(await page.locator('.flow').nth(1).evaluate(e => e === document.activeElement));
    assert.match(page.url(), /map=corridors/);
    assert.match(await page.locator('.flow').first().getAttribute('aria-label'), /→/);
  });

  tests['live: combinations by keyboard, up to the length of the release'] = () => withPage({}, async page => {
    await page.goto(`${BASE}${R}/combinations?lang=en`);
    await settle(page);
    for (const [typed, text] of [['woman', /attr=gender:Woman/], ['sexual exploitation', /attr=isSexualExploit:1/], ['threats', /attr=meansThreats:1/]]) {
      await page.locator('#attribute').fill(typed);
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
      await page.waitForURL(text);
    }
    const released = aggregates.get('gender=Woman;meansThreats=1;isSexualExploit=1');
    await page.waitForFunction(n => document.querySelector('.combinations .total strong')?.textContent.replace(/\D/g, '') === n, released.count);
    assert.ok(await page.locator('#attribute').isDisabled());
    await page.locator('.picked .chip').first().click();
    assert.ok(await page.locator('#attribute').isEnabled());
    await page.goBack();
    await page.waitForFunction(n => document.querySelector('.combinations .total strong')?.textContent.replace(/\D/g, '') === n, released.count);
  });

  tests['live: without a network the page says so, and what was never asked has no number'] = () => withPage({}, async (page, context) => {
    await page.goto(`${BASE}${R}/explore?lang=en`);
    await settle(page);
    assert.ok(await kept(page), 'the first visit was not kept');
    await context.setOffline(true);
    await page.reload();
    await settle(page);
    assert.match(await page.locator('.offline').innerText(), /kept on this device on/);
    await chart(page, 'Type of exploitation').locator('.row').first().click();
    await page.locator('.total.problem').waitFor();
    assert.match(await page.locator('.total.problem').innerText(), /not asked before/);
    await context.setOffline(false);
    await page.locator('.picked .plain').click();
    await chart(page, 'Type of exploitation').locator('.row').first().click();
    await page.locator('.total strong').waitFor();
    assert.equal(await page.locator('.offline').count(), 0);
  });

  tests['live: dark and light by hand, kept on this device'] = () => withPage({}, async page => {
    const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await page.goto(`${BASE}/`);
    const light = await paper();
    await page.locator('button.theme').click();
    const dark = await paper();
    assert.notEqual(dark, light);
    await page.goto(`${BASE}${R}/`);
    await page.locator('button.theme').waitFor();
    assert.equal(await paper(), dark);
  });
}
