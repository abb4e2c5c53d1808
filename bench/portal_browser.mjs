// How long a filter takes in a browser: from the click to the first picture in which every chart in sight has its answer (the page's own
// measure "suha:answer"), with the network of this machine and Chromium's own CPU time beside it. Goal: under 100 ms on c206k.
//
// usage: tools/npm_fetch.py test; suha serve RELEASE --port 8000; node bench/portal_browser.mjs http://127.0.0.1:8000 ID [CPU-SLOWDOWN]
import { join, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const [base, id, slower = '1'] = process.argv.slice(2);
if (!base || !id) {
  console.error('usage: node bench/portal_browser.mjs http://127.0.0.1:PORT RELEASE-ID [CPU-SLOWDOWN]');
  process.exit(2);
}
const web = join(dirname(fileURLToPath(import.meta.url)), '..', 'web');
const { chromium } = await import(join(web, 'node_modules', 'playwright-core', 'index.mjs'));
const browser = await chromium.launch({ executablePath: process.env.SUHA_CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, serviceWorkers: 'block' });
const page = await context.newPage();
const devtools = await context.newCDPSession(page);
await devtools.send('Emulation.setCPUThrottlingRate', { rate: Number(slower) });
await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
const spent = async () => (await devtools.send('Performance.getMetrics')).metrics.find(m => m.name === 'TaskDuration').value;

const start = performance.now();
await page.goto(`${base}/r/${id}/explore`);
await page.waitForSelector('[data-live]');
const live = performance.now() - start;
await page.waitForTimeout(1500);

const times = [], rounds = 24, before = await spent();
for (let i = 0; i < rounds; i++) {
  await page.evaluate(n => {
    performance.clearMeasures();
    const chosen = [...document.querySelectorAll('.picked .plain')].at(-1);
    // Every fourth time back to everyone, so that the conditions do not pile up.
    if (n % 4 === 3 && chosen) return chosen.click();
    const marks = document.querySelectorAll('.row[data-mark]');
    return marks[(n * 5) % marks.length].click();
  }, i);
  await page.waitForFunction(() => performance.getEntriesByName('suha:answer').length > 0);
  times.push(await page.evaluate(() => performance.getEntriesByName('suha:answer').at(-1).duration));
  await page.waitForTimeout(700);
}
const cpu = (await spent()) - before;
times.sort((a, b) => a - b);
console.log(`${id}: live after ${live.toFixed(0)} ms; a filter is answered in ${times[rounds / 2].toFixed(0)} ms (median of ${rounds}), `
  + `${times[Math.floor(rounds * 0.95)].toFixed(0)} ms (95 of 100), ${times.at(-1).toFixed(0)} ms at most; ${(1000 * cpu / rounds).toFixed(0)} ms of the page's CPU each`);
await browser.close();
