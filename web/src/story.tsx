// A live chart inside a story: data-by or data-group, data-where as in an address, data-kind for maps. It stays as the text
// describes it; choosing a mark leads to Explore.
import { useMemo } from 'preact/hooks';
import { readCondition, releaseAddress, useAnswer, useReady, type Filters, type Release } from './api';
import { ChartOf, PlacesLater } from './explore';
import { t } from './i18n';
import { Tip } from './marks';
import { chartsOf, shown, type Chart } from './model';

function chosenBy(where: string): Filters {
  const found = new Map<string, string[]>();
  const all = where.includes('where=') ? new URLSearchParams(where).getAll('where') : where ? [where] : [];
  for (const text of all) {
    const part = readCondition(text);
    if (part) found.set(part.column, part.codes);
  }
  return found;
}

function chartFor(release: Release, place: DOMStringMap): Chart | null {
  const columns = shown(release);
  const by = (place['by'] ?? '').split(',').filter(Boolean).map(name => columns.find(c => c.name === name));
  const id = `story-${place['by'] ?? place['group'] ?? ''}-${place['where'] ?? ''}`.replace(/[^\w-]+/g, '-');
  const group = release.groups.find(g => g.name === place['group']);
  if (group) {
    const members = columns.filter(c => c.group === group.name && c.kind === 'flag');
    return { kind: 'group', id, title: place['title'] || group.title, group: group.name, heading: group.title, columns: members };
  }
  const [a, b] = by;
  if (!a) return null;
  const title = place['title'] || a.title;
  if (place['kind'] === 'map') return { kind: 'places', id, title, from: a, to: null };
  if (place['kind'] === 'sankey' && b) return { kind: 'places', id, title, from: a, to: b };
  if (b) return { kind: 'grid', id, title: place['title'] || t('{a} and {b}', { a: a.title, b: b.title }), rows: a, columns: b };
  const line = chartsOf(release).some(c => c.kind === 'years' && c.column.name === a.name);
  return { kind: line ? 'years' : 'bars', id, title, column: a };
}

export function StoryChart({ id, place, onReady }: { id: string; place: DOMStringMap; onReady: (drawn: boolean) => void }) {
  const { value: release, error } = useAnswer<Release>(releaseAddress(id));
  const chart = useMemo(() => (release ? chartFor(release, place) : null), [release]);
  // Without an answer the server's own chart stays.
  useReady(release !== null || error !== null, () => onReady(chart !== null));
  if (!release || !chart) return null;
  const chosen = chosenBy(place['where'] ?? '');
  return (
    <>
      {chart.kind === 'places'
        ? <PlacesLater release={release.id} chart={chart} chosen={chosen} only={chart.to ? 'corridors' : 'from'} locked />
        : <ChartOf release={release.id} chart={chart} chosen={chosen} locked eager />}
      <Tip />
    </>
  );
}
