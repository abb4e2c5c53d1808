// The API as web/openapi.json describes it, asked with a memory: the same question is sent once.
import { computed, effect, signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { lang, t } from './i18n';

export type State = 'ok' | 'uncertain' | 'suppressed' | 'absent' | 'estimated';
export type Source = 'aggregates' | 'records' | 'mixed';
export type Kind = 'code' | 'set' | 'flag' | 'year' | 'other';

export interface Figure {
  count: number | null; // null: there is no number; never 0 for a suppressed cell
  low: number | null;
  high: number | null; // null beside a low: the upper end is not known
  state: State;
  source: Source;
  reason: string | null;
}
export interface Cell extends Figure {
  codes: string[];
  labels: string[];
  percent: number | null;
  percent_low: number | null;
  percent_high: number | null;
}
export interface Dimension {
  column: string | null;
  title: string;
  kind: Kind | 'group';
  size: number;
}
export interface Table {
  source: Source;
  source_reason: string | null;
  total: Figure;
  denominator: Figure | null;
  dimensions: Dimension[];
  cells: Cell[];
  not_listed: { count: number; reason: string | null };
  note: string;
}
export interface Column {
  name: string;
  title: string;
  description: string;
  kind: Kind;
  group: string | null;
  provided: boolean;
  codes: { code: string; label: string; published: boolean }[];
}
export interface Release {
  id: string;
  title: string;
  length: number;
  period: { from: string; to: string } | null;
  people: { estimate: number | null; low: number | null; high: number | null; synthetic_records: number };
  guarantee: { holds: boolean; stamp: string | null };
  groups: { name: string; title: string; columns: string[] }[];
  columns: Column[];
}
export interface Attribute {
  column: string;
  code: string;
  title: string;
  label: string;
}
export interface Neighbour extends Attribute, Figure {
  percent: number | null;
}
export interface Company {
  set: Attribute[];
  figure: Figure;
  with: Neighbour[];
  hidden: number;
  source: Source;
  source_reason: string | null;
}

type Answer<T> = { value: T } | { error: string };
const answers = new Map<string, Answer<unknown>>();
const MOST_ANSWERS = 400;

const waiting = signal(0); // questions under way
/** Nothing is under way. Changes twice per round of questions, not once per question. */
export const idle = computed(() => waiting.value === 0);

/** When the numbers on the page were kept, if they come from this device's memory because the network did not answer. */
export const kept = signal<Date | null>(null);

function remember(address: string, answer: Answer<unknown>): void {
  answers.set(address, answer);
  if (answers.size > MOST_ANSWERS) answers.delete(answers.keys().next().value as string);
}

async function question(address: string, stop: AbortSignal): Promise<Answer<unknown> | null> {
  try {
    const answer = await fetch(address, { signal: stop, headers: { Accept: 'application/json' } });
    const age = answer.headers.get('x-suha-kept');
    if (age) kept.value = new Date(age);
    else if (kept.value) kept.value = null;
    const body: unknown = await answer.json();
    if (answer.ok) return { value: body };
    const detail = (body as { detail?: unknown }).detail;
    return { error: typeof detail === 'string' ? detail : t('The server could not answer this question.') };
  } catch {
    return stop.aborted ? null : { error: t('There is no connection, and this question was not asked before. Numbers seen earlier are still here.') };
  }
}

interface Flight {
  users: number;
  stop: AbortController;
  answer: Promise<Answer<unknown> | null>;
}
const flights = new Map<string, Flight>();

/** One request for all who ask the same; it is broken off when nobody waits any more. */
function fly(address: string): Flight {
  const there = flights.get(address);
  if (there) {
    there.users++;
    return there;
  }
  const stop = new AbortController();
  waiting.value++;
  const answer = question(address, stop.signal).then(found => {
    // A failure is not remembered: the next try may succeed.
    if (found && 'value' in found) remember(address, found);
    if (flights.get(address)?.stop === stop) flights.delete(address);
    waiting.value--;
    return found;
  });
  const flight = { users: 1, stop, answer };
  flights.set(address, flight);
  return flight;
}

function leave(address: string, flight: Flight): void {
  flight.users--;
  if (flight.users > 0 || flights.get(address) !== flight) return;
  flights.delete(address);
  flight.stop.abort();
}

export interface Heard<T> {
  value: T | null;
  error: string | null;
  busy: boolean;
}

/** The answers to some addresses, all or none; until new ones are there, those before stay, so that nothing on the page jumps. */
export function useAnswers<T>(addresses: readonly string[]): Heard<T[]> {
  const [failed, setFailed] = useState<{ address: string; error: string } | null>(null);
  const [, wake] = useState(0);
  const last = useRef<{ key: string; value: T[] } | null>(null);
  const key = addresses.join('\n');
  useEffect(() => {
    let here = true;
    const asked = addresses.filter(a => !answers.has(a)).map(address => ({ address, flight: fly(address) }));
    for (const { address, flight } of asked)
      void flight.answer.then(answer => {
        if (!here) return;
        if (answer && 'error' in answer) setFailed({ address, error: answer.error });
        else if (answer && addresses.every(a => answers.has(a))) wake(n => n + 1);
      });
    return () => {
      here = false;
      asked.forEach(({ address, flight }) => leave(address, flight));
    };
  }, [key]);
  const known = addresses.length > 0 && addresses.every(a => answers.has(a));
  // The same list as long as it holds the same answers: what is computed from it is computed once.
  if (known && last.current?.key !== key) last.current = { key, value: addresses.map(a => (answers.get(a) as { value: T }).value) };
  const error = !known && failed && addresses.includes(failed.address) ? failed.error : null;
  return { value: last.current?.value ?? null, error, busy: addresses.length > 0 && !known && !error };
}

export function useAnswer<T>(address: string | null): Heard<T> {
  const { value, error, busy } = useAnswers<T>(address === null ? [] : [address]);
  return { value: value?.[0] ?? null, error, busy };
}

/** Says once that the first answers are there: after `loaded` what hangs on it has asked its own questions, and they are answered. */
export function useReady(loaded: boolean, onReady: () => void): void {
  useEffect(() => {
    if (!loaded) return undefined;
    let stop: (() => void) | undefined;
    let drawn: ReturnType<typeof setTimeout> | undefined;
    const asked = setTimeout(() => {
      // An answer is drawn a moment after it is there.
      stop = effect(() => { if (idle.value) drawn = setTimeout(() => { if (idle.peek()) onReady(); }, 10); });
    }, 20);
    return () => {
      clearTimeout(asked);
      clearTimeout(drawn);
      stop?.();
    };
  }, [loaded]);
}

export type Filters = ReadonlyMap<string, readonly string[]>;

const escape = (text: string): string => text.replace(/[\\:|,]/g, '\\$&');

/** column:code|code, as the address of a page and of the API has it. */
export function condition(column: string, codes: readonly string[]): string {
  return `${escape(column)}:${codes.map(escape).join('|')}`;
}

/** The parts of a condition; null when it is none. */
export function readCondition(text: string): { column: string; codes: string[] } | null {
  const parts: string[] = [''];
  let column: string | null = null;
  for (let i = 0; i < text.length; i++) {
    const c = text.charAt(i);
    if (c === '\\' && i + 1 < text.length) parts[parts.length - 1] += text.charAt(++i);
    else if (c === ':' && column === null) [column, parts[0]] = [parts[0] ?? '', ''];
    else if (c === '|' && column !== null) parts.push('');
    else parts[parts.length - 1] += c;
  }
  return column && parts.every(Boolean) ? { column, codes: parts } : null;
}

export interface Question {
  by?: readonly string[];
  group?: string;
  where?: Filters;
}

export function tabulateAddress(release: string, q: Question, format?: 'csv' | 'hxl' | 'xlsx'): string {
  const query = new URLSearchParams();
  if (q.by?.length) query.set('by', q.by.map(escape).join(','));
  q.where?.forEach((codes, column) => query.append('where', condition(column, codes)));
  if (q.group) query.set('group', q.group);
  query.set('lang', lang);
  if (format) query.set('format', format);
  return `/api/v1/releases/${encodeURIComponent(release)}/tabulate?${query.toString()}`;
}

export function releaseAddress(release: string): string {
  return `/api/v1/releases/${encodeURIComponent(release)}?lang=${lang}`;
}

export function combinationsAddress(release: string, set: readonly string[], most: number, format?: 'csv' | 'hxl' | 'xlsx'): string {
  const query = new URLSearchParams(set.map(attribute => ['attr', attribute]));
  query.set('most', String(most));
  query.set('lang', lang);
  if (format) query.set('format', format);
  return `/api/v1/releases/${encodeURIComponent(release)}/combinations?${query.toString()}`;
}
