// What is chosen lives in the address: where=column:code|code, repeated; map=... for the open map. The server's pages read the same words.
import { batch, signal } from '@preact/signals';
import { condition, readCondition, type Filters } from './api';

export const filters = signal<Filters>(new Map());
export const place = signal<string | null>(null); // which map is open; null: the first

function fromAddress(): void {
  const query = new URLSearchParams(location.search);
  const found = new Map<string, string[]>();
  for (const text of query.getAll('where')) {
    const part = readCondition(text);
    if (part) found.set(part.column, [...new Set([...(found.get(part.column) ?? []), ...part.codes])]);
  }
  batch(() => {
    filters.value = found;
    place.value = query.get('map');
  });
}

export function addressOf(chosen: Filters, map: string | null): string {
  const query = new URLSearchParams(location.search);
  query.delete('where');
  query.delete('map');
  chosen.forEach((codes, column) => query.append('where', condition(column, codes)));
  if (map) query.set('map', map);
  // Colons, bars and commas are readable in a query (RFC 3986) and people copy these addresses.
  const text = query.toString().replace(/%3A/g, ':').replace(/%7C/g, '|').replace(/%2C/g, ',');
  return location.pathname + (text ? `?${text}` : '');
}

/** Reads the address now and whenever the visitor goes back or forward. */
export function followAddress(): void {
  fromAddress();
  addEventListener('popstate', fromAddress);
}

function choose(next: Filters): void {
  performance.mark('suha:filter');
  history.pushState(null, '', addressOf(next, place.value));
  filters.value = next;
}

export function toggle(column: string, code: string): void {
  const next = new Map(filters.value);
  const codes = next.get(column) ?? [];
  const left = codes.includes(code) ? codes.filter(c => c !== code) : [...codes, code];
  if (left.length) next.set(column, left);
  else next.delete(column);
  choose(next);
}

/** Sets each column to one code; all of them already so: takes them away. */
export function togglePair(pairs: readonly (readonly [string, string])[]): void {
  const next = new Map(filters.value);
  const all = pairs.every(([column, code]) => next.get(column)?.length === 1 && next.get(column)?.[0] === code);
  for (const [column, code] of pairs) {
    if (all) next.delete(column);
    else next.set(column, [code]);
  }
  choose(next);
}

export function drop(column: string): void {
  const next = new Map(filters.value);
  next.delete(column);
  choose(next);
}

/** From a story: the same people, and this choice, in Explore. */
export function openExplore(release: string, chosen: Filters, pairs: readonly (readonly [string, string])[]): void {
  const query = new URLSearchParams();
  const spoken = new URLSearchParams(location.search).get('lang');
  const next = new Map(chosen);
  pairs.forEach(([column, code]) => next.set(column, [code]));
  next.forEach((codes, column) => query.append('where', condition(column, codes)));
  if (spoken) query.set('lang', spoken);
  location.assign(`/r/${encodeURIComponent(release)}/explore?${query.toString()}`);
}

export const clear = (): void => choose(new Map());

export function openPlace(map: string): void {
  history.replaceState(null, '', addressOf(filters.value, map));
  place.value = map;
}

export const without = (chosen: Filters, ...columns: string[]): Filters =>
  new Map([...chosen].filter(([column]) => !columns.includes(column)));
