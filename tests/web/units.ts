// The computing parts of web/src, tried in node. A random test prints its seed.
import './page'; // stands in for the browser; first, because modules read it when they start
import { condition, readCondition, tabulateAddress, type Cell, type Column, type Release } from '../../web/src/api';
import { layout } from '../../web/src/flows';
import { chartsOf, under } from '../../web/src/model';
import { interval, sentence, step, value } from '../../web/src/marks';
import { summary } from '../../web/src/frame';
import { addressOf } from '../../web/src/state';
import { sectionsOf } from '../../web/src/filters';

let failed = 0;
const test = (name: string, body: () => void): void => {
  try {
    body();
    console.log(`  ok ${name}`);
  } catch (error) {
    failed++;
    console.log(`  not ok ${name}: ${String(error)}`);
  }
};
const same = (got: unknown, wanted: unknown): void => {
  if (JSON.stringify(got) !== JSON.stringify(wanted)) throw new Error(`${JSON.stringify(got)} instead of ${JSON.stringify(wanted)}`);
};
const sure = (yes: boolean, words: string): void => {
  if (!yes) throw new Error(words);
};

const seed = Number(process.env['SUHA_SEED'] ?? Date.now() % 1000000);
console.log(`  seed ${seed} (SUHA_SEED)`);
let state = seed;
const random = (n: number): number => (state = (state * 1103515245 + 12345) % 2147483648) % n;

const figure = (over: Partial<Cell>): Cell => ({
  codes: ['a'], labels: ['A'], count: 10, low: 8, high: 12, state: 'ok', source: 'aggregates', reason: null, percent: null, percent_low: null, percent_high: null, ...over,
});
const column = (over: Partial<Column>): Column => ({ name: 'x', title: 'X', description: '', kind: 'code', group: null, provided: true, codes: [], ...over });
const codes = (...all: string[]) => all.map(code => ({ code, label: code, published: true }));
const release = (columns: Column[], groups: Release['groups'] = []): Release => ({
  id: 'r', title: 'R', length: 3, period: null, people: { estimate: 1, low: 1, high: 1, synthetic_records: 1 }, guarantee: { holds: true, stamp: null }, groups, columns,
});

test('a condition survives the address, whatever stands in its names', () => {
  const letters = ['a', 'B', ':', '|', ',', '\\', '7', ' ', 'é', '日', '-'];
  const word = (): string => Array.from({ length: 1 + random(6) }, () => letters[random(letters.length)]).join('');
  for (let i = 0; i < 2000; i++) {
    const wanted = { column: word(), codes: Array.from({ length: 1 + random(3) }, word) };
    same(readCondition(condition(wanted.column, wanted.codes)), wanted);
  }
});
test('what is no condition is none', () => {
  for (const bad of ['', 'x', ':', 'x:', ':y', 'x:|', 'x:a||b']) same(readCondition(bad), null);
});
test('the address of a question is that of the API', () => {
  same(tabulateAddress('a b', { by: ['x', 'y'], where: new Map([['c', ['1', '2']]]), group: 'g' }, 'csv'),
    '/api/v1/releases/a%20b/tabulate?by=x%2Cy&where=c%3A1%7C2&group=g&lang=en&format=csv');
});
test('the address of a view keeps what is not ours', () => {
  same(addressOf(new Map([['c', ['a', 'b']]]), 'to'), '/r/x/explore?lang=en&where=c:a|b&map=to');
});
test('a figure without a number is never zero', () => {
  same(value(figure({ count: null, low: null, high: null, state: 'suppressed' })), 'not released');
  same(value(figure({ count: null, low: null, high: null, state: 'absent' })), 'none seen');
  same(sentence(figure({ count: null, low: null, high: null, state: 'suppressed', reason: 'Because.' })), 'Because.');
});
test('an interval is never narrowed by rounding', () => {
  same(interval(figure({ low: 7.9, high: 12.1 })), '7 to 13');
  same(interval(figure({ low: 7.9, high: null })), '7 or more');
});
test('an estimate says so', () => {
  sure(value(figure({ state: 'estimated', low: null, high: null })).startsWith('≈'), 'no ≈');
  sure(sentence(figure({ state: 'estimated', low: null, high: null })).includes('synthetic'), 'not said');
});
test('the summary names the most, and silence when nothing was released', () => {
  const table = { source: 'aggregates', source_reason: null, total: figure({}), denominator: null, dimensions: [], not_listed: { count: 0, reason: null }, note: '' } as const;
  sure(summary({ ...table, dimensions: [], cells: [figure({ labels: ['few'], count: 3, low: 2, high: 4 }), figure({ labels: ['many'], count: 9, low: 8, high: 10 })] }, false).includes('many, 9'), 'not the most');
  const meeting = summary({ ...table, dimensions: [], cells: [figure({ labels: ['one'], count: 8, low: 6, high: 10 }), figure({ labels: ['two'], count: 9, low: 7, high: 11 })] }, false);
  sure(meeting.includes('one') && meeting.includes('two'), 'a winner where the intervals meet');
  same(summary({ ...table, dimensions: [], cells: [figure({ count: null, state: 'suppressed' })] }, false), 'No number of this question was released.');
});
test('four steps of the scale reach the top, and are not far above', () => {
  for (const top of [1, 3, 4, 5, 9, 10, 17, 99, 101, 2785, 123456, ...Array.from({ length: 200 }, () => 1 + random(1e6))]) {
    const s = step(top);
    sure(s * 4 >= top && Number.isInteger(s), `step ${s} for ${top}`);
    sure(top < 8 || s * 4 <= top * 2.6, `step ${s} is far above ${top}`);
  }
});
test('corridors: bands fill their places, nothing overlaps, nothing is lost', () => {
  for (let round = 0; round < 50; round++) {
    const cells: Cell[] = [];
    for (let i = 0, n = 1 + random(30); i < n; i++) cells.push(figure({ codes: [`o${random(8)}`, `d${random(8)}-${i}`.slice(0, 2)], labels: ['a', 'b'], count: 1 + random(500) }));
    const { left, right, bands, height } = layout(cells, 400);
    same(bands.length, cells.length);
    for (const side of [left, right]) {
      const sorted = [...side].sort((a, b) => a.y - b.y);
      sorted.forEach((n, i) => sure(i === 0 || n.y >= (sorted[i - 1]?.y ?? 0) + (sorted[i - 1]?.height ?? 0), 'places overlap'));
      sure(sorted.every(n => n.y >= 0 && n.y + n.height <= height + 1e-9), 'a place outside the drawing');
    }
    const scale = (bands[0]?.width ?? 0) / (bands[0]?.cell.count ?? 1);
    for (const n of left) {
      const widths = bands.filter(b => b.from === n).reduce((sum, b) => sum + b.width, 0);
      sure(Math.abs(widths - n.total * scale) < 1e-6 && widths <= n.height + 1e-6, 'bands do not fill their place');
    }
  }
});
test('charts of a CTDC release: by roles, each column once', () => {
  const countries = codes(...Array.from({ length: 60 }, (_, i) => `A${String.fromCharCode(65 + Math.floor(i / 26))}${String.fromCharCode(65 + (i % 26))}`));
  const flag = (name: string, group: string) => column({ name, kind: 'flag', group, codes: codes('1') });
  const charts = chartsOf(release([
    column({ name: 'yearOfRegistration', kind: 'year', codes: codes('2020', '2021') }), column({ name: 'gender', codes: codes('Man', 'Woman') }),
    column({ name: 'ageBroad', codes: codes('0--8', '9--17') }), column({ name: 'citizenship', codes: countries }),
    column({ name: 'CountryOfExploitation', codes: countries }), flag('meansThreats', 'meansOfControl'), flag('isForcedLabour', 'typeOfExploit'),
    flag('recruiterOther', 'recruiterRelation'),
  ], ['meansOfControl', 'typeOfExploit', 'recruiterRelation'].map(name => ({ name, title: name, columns: [] }))));
  same(charts.map(c => `${c.kind}:${c.id}`), ['years:yearOfRegistration', 'grid:ageBroad-gender', 'places:places', 'group:typeOfExploit', 'group:meansOfControl', 'group:recruiterRelation']);
  const map = charts[2];
  sure(map?.kind === 'places' && map.from.name === 'citizenship' && map.to?.name === 'CountryOfExploitation', 'the map is the wrong way round');
});
test('charts of a schema nobody has seen: every column with values is somewhere', () => {
  const charts = chartsOf(release([column({ name: 'a', codes: codes('1', '2') }), column({ name: 'b', kind: 'set', codes: codes('x') }),
    column({ name: 'c', kind: 'flag', codes: codes('1') }), column({ name: 'd', kind: 'other' }), column({ name: 'e', provided: false, codes: codes('1') })]));
  same(charts.map(c => c.id), ['a', 'b', 'other-flags']);
});
test('filters: flags stand under their group, without its name', () => {
  const sections = sectionsOf(release([column({ name: 'm1', title: 'Means: Threats', kind: 'flag', group: 'm', codes: codes('1') }),
    column({ name: 'm2', title: 'Means: Lies', kind: 'flag', group: 'm', codes: codes('1') })], [{ name: 'm', title: 'Means', columns: [] }]));
  same(sections.map(s => [s.title, s.options.map(o => o.label)]), [['Means', ['Threats', 'Lies']]]);
  same(under('Moyens de contrôle : Menaces', 'Moyens de contrôle'), 'Menaces');
  same(under('Meansless', 'Means'), 'Meansless');
});

console.log(failed ? `  ${failed} failed` : '  all passed');
process.exit(failed ? 1 : 0);
