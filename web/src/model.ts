// Which charts a release gets. Nothing here names one schema's columns as the only way: roles are recognised, the rest is shown by its kind.
import type { Column, Release } from './api';
import { t } from './i18n';

export type Chart =
  | { kind: 'years' | 'bars'; id: string; title: string; column: Column }
  | { kind: 'group'; id: string; title: string; group: string; heading: string; columns: Column[] }
  | { kind: 'flags'; id: string; title: string; columns: Column[] }
  | { kind: 'grid'; id: string; title: string; rows: Column; columns: Column }
  | { kind: 'places'; id: string; title: string; from: Column; to: Column | null };

const MOST_GRID_COLUMNS = 5;
const MOST_GRID_ROWS = 20;
// Groups that people ask for first come first, by the words in their names; the others follow in the schema's order.
const ORDER = [/exploit/i, /means|control/i, /recruit/i, /labou?r|sector/i, /sex/i];

const isPlace = (c: Column): boolean =>
  c.kind === 'code' && c.codes.length > 40 && c.codes.filter(x => /^[A-Z]{2,3}$/.test(x.code)).length > 0.8 * c.codes.length;

const rank = (name: string): number => {
  const at = ORDER.findIndex(word => word.test(name));
  return at < 0 ? ORDER.length : at;
};

export const isWide = (c: Chart): boolean => c.kind === 'years' || c.kind === 'grid' || c.kind === 'places';
/** More rows than two short charts: beside it two of those fit. */
export const isTall = (c: Chart): boolean =>
  ((c.kind === 'group' || c.kind === 'flags') && c.columns.length > 6) || (c.kind === 'bars' && c.column.codes.length > 6);

/** "Means of control: Threats" reads "Threats" under the heading "Means of control". */
export const under = (title: string, heading: string): string => {
  const rest = title.startsWith(heading) ? title.slice(heading.length).match(/^\s*:\s*(.+)$/) : null;
  return rest?.[1] ?? title;
};

export const shown = (release: Release): Column[] => release.columns.filter(c => c.provided && c.kind !== 'other');

export function chartsOf(release: Release): Chart[] {
  const columns = shown(release);
  const charts: Chart[] = [];
  const used = new Set<string>();
  const use = (chart: Chart, ...names: string[]): void => {
    charts.push(chart);
    names.forEach(name => used.add(name));
  };
  const year = columns.find(c => c.kind === 'year');
  if (year) use({ kind: 'years', id: year.name, title: year.title, column: year }, year.name);

  const codes = columns.filter(c => c.kind === 'code');
  const gender = codes.find(c => /gender|^sex$/i.test(c.name) && c.codes.length <= MOST_GRID_COLUMNS);
  const age = codes.find(c => /(^|[^a-z])age|Age/.test(c.name) && c.codes.length <= MOST_GRID_ROWS);
  if (gender && age)
    use({ kind: 'grid', id: `${age.name}-${gender.name}`, title: t('{a} and {b}', { a: age.title, b: gender.title }), rows: age, columns: gender },
      age.name, gender.name);

  const places = columns.filter(isPlace);
  const from = places.find(c => /citizen|national|origin|home/i.test(c.name)) ?? places[0];
  const to = places.find(c => c !== from && /exploit|dest/i.test(c.name)) ?? places.find(c => c !== from) ?? null;
  if (from) use({ kind: 'places', id: 'places', title: t('Where'), from, to }, from.name, ...(to ? [to.name] : []));

  [...release.groups]
    .map((g, i) => ({ g, i }))
    .sort((a, b) => rank(a.g.name) - rank(b.g.name) || a.i - b.i)
    .forEach(({ g }) => {
      const members = columns.filter(c => c.group === g.name && c.kind === 'flag');
      if (members.length) use({ kind: 'group', id: g.name, title: g.title, group: g.name, heading: g.title, columns: members }, ...members.map(c => c.name));
    });

  for (const c of columns)
    if (!used.has(c.name) && c.kind !== 'flag') charts.push({ kind: c.kind === 'year' ? 'years' : 'bars', id: c.name, title: c.title, column: c });
  const flags = columns.filter(c => c.kind === 'flag' && !used.has(c.name));
  if (flags.length) charts.push({ kind: 'flags', id: 'other-flags', title: t('Other yes-or-no questions'), columns: flags });
  return charts;
}
