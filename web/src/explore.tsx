// Explore: filters, what is chosen, and charts that answer each other.
import type { RefObject } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import {
  idle, kept, releaseAddress, tabulateAddress, useAnswer, useAnswers, useReady, type Figure, type Filters, type Question, type Release, type Table,
} from './api';
import { Bars, exactly, Grid, Years } from './charts';
import { Chips, Panel, Sheet, useNarrow } from './filters';
import { Frame } from './frame';
import { count, t, when } from './i18n';
import { interval, Tip } from './marks';
import { chartsOf, isTall, isWide, under, type Chart } from './model';
import { clear, filters, openExplore, toggle, togglePair, without } from './state';

const NOTHING: Filters = new Map();

/** The question of a chart. A column's own filter is left out of its own chart, so that its other codes stay in view; flags of a group add up. */
export function questionOf(chart: Exclude<Chart, { kind: 'places' }>, chosen: Filters): Question {
  if (chart.kind === 'group') return { group: chart.group, where: chosen };
  if (chart.kind === 'flags') return { by: chart.columns.slice(0, 1).map(c => c.name), where: chosen };
  if (chart.kind === 'grid') return { by: [chart.rows.name, chart.columns.name], where: without(chosen, chart.rows.name, chart.columns.name) };
  return { by: [chart.column.name], where: without(chosen, chart.column.name) };
}

const LATER = 200; // milliseconds that charts out of sight let those in sight go first

/** The address to ask now: at once for a chart in or near sight, a little later for the others. */
function useTurn(address: string, eager: boolean): { ref: RefObject<HTMLElement | null>; turn: string } {
  const ref = useRef<HTMLElement>(null);
  const near = useRef(eager);
  const [turn, setTurn] = useState(eager ? address : '');
  const latest = useRef(address);
  latest.current = address;
  useEffect(() => {
    if (!ref.current) return undefined;
    const seen = new IntersectionObserver(entries => {
      near.current = entries[entries.length - 1]?.isIntersecting ?? false;
      if (near.current) setTurn(latest.current);
    }, { rootMargin: '200px' });
    seen.observe(ref.current);
    return () => seen.disconnect();
  }, []);
  useEffect(() => {
    if (near.current) {
      setTurn(address);
      return undefined;
    }
    const later = setTimeout(() => setTurn(address), LATER);
    return () => clearTimeout(later);
  }, [address]);
  // In sight the question of this very rendering counts: no second rendering for it.
  return { ref, turn: near.current ? address : turn };
}

const MINIMUM = { years: 'min-years', grid: 'min-grid', bars: '', group: '', flags: '' };
const rowsOf = (chart: Chart): number => {
  const n = chart.kind === 'group' || chart.kind === 'flags' ? chart.columns.length : chart.kind === 'bars' ? chart.column.codes.length : 0;
  return n > 12 ? 11 : n;
};

/** One table for a chart. Under the heading of its group a flag needs not say the group's name again; flags without a group are put together. */
function tableOf(chart: Chart, answers: readonly Table[] | null): Table | null {
  const first = answers?.[0];
  if (!first) return null;
  if (chart.kind === 'group') return { ...first, cells: first.cells.map(c => ({ ...c, labels: c.labels.map(l => under(l, chart.heading)) })) };
  if (chart.kind !== 'flags') return first;
  const cells = chart.columns.flatMap((column, i) => {
    const yes = answers[i]?.cells.find(c => c.codes[0] === column.codes[0]?.code);
    return yes ? [{ ...yes, codes: [column.name], labels: [column.title] }] : [];
  });
  return { ...first, source: answers.every(a => a.source === first.source) ? first.source : 'mixed', cells };
}

interface ChartProps {
  release: string;
  chart: Exclude<Chart, { kind: 'places' }>;
  chosen: Filters;
  wide?: boolean;
  eager?: boolean; // asks at once, also before it can be seen
  locked?: boolean; // in a story: the chart stays as it is, and a choice leads to Explore
}

export function ChartOf({ release, chart, chosen, wide, locked, eager }: ChartProps) {
  const question = questionOf(chart, chosen);
  const ask = (where: Filters): string[] => (chart.kind === 'flags' ? chart.columns.map(c => tabulateAddress(release, { by: [c.name], where }))
    : [tabulateAddress(release, { ...question, where })]);
  const addresses = ask(question.where ?? NOTHING);
  const { ref, turn } = useTurn(addresses.join('\n'), eager ?? false);
  const asked = turn ? turn.split('\n') : [];
  const now = useAnswers<Table>(asked);
  const compares = chart.kind === 'bars' || chart.kind === 'group' || chart.kind === 'flags';
  const all = useAnswers<Table>(compares && turn && question.where?.size ? ask(NOTHING) : []);
  const table = useMemo(() => tableOf(chart, now.value), [now.value, chart]);
  const everyone = useMemo(() => tableOf(chart, all.value), [all.value, chart]);
  const before = question.where?.size ? everyone : null;
  const leads = locked ?? false;
  const go = (pairs: [string, string][]): void => openExplore(release, chosen, pairs);
  const one = (column: string) => ({
    leads,
    chosen: (codes: readonly string[]) => !leads && exactly(chosen, column, codes[0]),
    onChoose: ([code]: readonly string[]) => { if (code !== undefined) (leads ? go([[column, code]]) : toggle(column, code)); },
  });
  return (
    <Frame id={chart.id} title={chart.title} shape={wide || isWide(chart) ? 'wide' : isTall(chart) ? 'tall' : ''} shares={compares}
      release={release} question={chart.kind === 'flags' ? null : question} table={table} error={now.error}
      busy={now.busy || turn !== addresses.join('\n')} box={ref} ordered={chart.kind === 'years'} minimum={MINIMUM[chart.kind]} rows={rowsOf(chart)}>
      {drawn => {
        if (chart.kind === 'years') return <Years table={drawn} name={chart.title} {...one(chart.column.name)} />;
        if (chart.kind === 'bars')
          return <Bars table={drawn} everyone={before} ranked={drawn.cells.length > 12} name={chart.title} {...one(chart.column.name)} />;
        if (chart.kind === 'group' || chart.kind === 'flags') {
          const yes = new Map(chart.columns.map(c => [c.name, c.codes[0]?.code]));
          return (
            <Bars table={drawn} everyone={before} ranked name={chart.title} leads={leads}
              chosen={([name = '']) => one(name).chosen([yes.get(name) ?? ''])} onChoose={([name = '']) => one(name).onChoose([yes.get(name) ?? ''])} />
          );
        }
        const { rows, columns } = chart as Extract<Chart, { kind: 'grid' }>;
        const pair = ([a = '', b = '']: readonly string[]): [string, string][] => [[rows.name, a], [columns.name, b]];
        return (
          <Grid table={drawn} name={chart.title} leads={leads} chosen={codes => !leads && pair(codes).every(([c, x]) => exactly(chosen, c, x))}
            onChoose={codes => (leads ? go(pair(codes)) : togglePair(pair(codes)))} />
        );
      }}
    </Frame>
  );
}

type Places = typeof import('./places').Places;

/** The map's code and shapes are fetched when its place comes into view. */
export function PlacesLater(props: Parameters<Places>[0]) {
  const ref = useRef<HTMLDivElement>(null);
  const [Ready, setReady] = useState<{ part: Places } | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    if (!ref.current || Ready) return undefined;
    const seen = new IntersectionObserver(entries => {
      if (!entries.some(e => e.isIntersecting)) return;
      seen.disconnect();
      import('./places').then(m => setReady({ part: m.Places }), () => setFailed(true));
    }, { rootMargin: '300px' });
    seen.observe(ref.current);
    return () => seen.disconnect();
  }, []);
  if (Ready) return <Ready.part {...props} />;
  return <div class="card live wide map-place" ref={ref}>{failed && <p class="problem">{t('The map could not be loaded.')}</p>}</div>;
}

function Total({ release, chosen }: { release: Release; chosen: Filters }) {
  const { value, error } = useAnswer<Table>(tabulateAddress(release.id, { where: chosen }));
  const total: Figure | null = value?.total ?? null;
  if (error) return <p class="total problem" role="status">{error}</p>;
  return (
    <p class="total" role="status" aria-live="polite">
      {total && (
        <>
          <strong>{total.count === null ? '–' : `${total.state === 'estimated' ? '≈\u202f' : ''}${count(total.count)}`}</strong>{' '}
          <span>{total.count === null ? total.reason : t('people')}</span>
          {total.low !== null && <small>{t('95% interval: {range}', { range: interval(total) })}</small>}
          {total.state === 'estimated' && <small>{t('counted in synthetic records')}</small>}
        </>
      )}
    </p>
  );
}

function CopyLink() {
  const [said, say] = useState('');
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(location.href);
      say(t('Copied'));
    } catch {
      prompt(t('Copy this address:'), location.href);
    }
    setTimeout(() => say(''), 3000);
  };
  return (
    <button type="button" class="button" onClick={() => void copy()}>
      <span aria-live="polite">{said || t('Copy link')}</span>
    </button>
  );
}

function HowToRead() {
  const sample = (state: string, words: string) => (
    <li>
      <span class="gauge inline" data-state={state} aria-hidden="true">
        {state !== 'suppressed' && <span class="fill half" />}
        {(state === 'ok' || state === 'uncertain') && <span class={`whisker sample-${state}`} />}
      </span>
      <span>{words}</span>
    </li>
  );
  return (
    <details class="how">
      <summary>{t('How to read the bars')}</summary>
      <ul>
        {sample('ok', t('A released count. The line is its interval: in 95 of 100 cases it holds the true number.'))}
        {sample('uncertain', t('Uncertain: the interval is so wide that the bar says little.'))}
        <li>
          <span class="gauge inline" aria-hidden="true"><span class="fill half" /><span class="tick sample-tick" /></span>
          <span>{t('The diamond: the share among everyone, to compare with when a filter is chosen.')}</span>
        </li>
        {sample('estimated', t('Counted in synthetic records, because no count was released. No interval is known.'))}
        {sample('suppressed', t('Not released, to protect people or because noise would drown it. It is not zero.'))}
      </ul>
    </details>
  );
}

export function Offline() {
  const date = kept.value;
  return date ? <p class="offline" role="status">{t('No connection. You see numbers kept on this device on {date}.', { date: when(date) })}</p> : null;
}

/** From the choice to the first picture that shows all of its answers: performance measure "suha:answer". */
function useTiming(chosen: Filters): void {
  const open = useRef(false);
  useEffect(() => { open.current = performance.getEntriesByName('suha:filter', 'mark').length > 0; }, [chosen]);
  void idle.value; // renders again when the answers are there
  useEffect(() => {
    if (!idle.peek() || !open.current) return;
    open.current = false;
    requestAnimationFrame(() => setTimeout(() => {
      performance.measure('suha:answer', 'suha:filter');
      performance.clearMarks('suha:filter');
    }));
  });
}

export function Explore({ id, onReady }: { id: string; onReady: () => void }) {
  const { value: release, error } = useAnswer<Release>(releaseAddress(id));
  const chosen = filters.value;
  const narrow = useNarrow();
  const charts = useMemo(() => (release ? chartsOf(release) : []), [release]);
  // In two columns an odd one out at the end takes the whole line.
  const small = charts.filter(c => !isWide(c));
  const odd = small.reduce((n, c) => n + (isTall(c) ? 2 : 1), 0) % 2 === 1 ? small[small.length - 1] : null;
  useTiming(chosen);
  useReady(release !== null || error !== null, onReady);
  if (error) return <p class="problem" role="alert">{error}</p>;
  if (!release) return null;
  return (
    <div class="live-explore">
      {!narrow && <aside class="live-side" aria-label={t('Filters')}><h2>{t('Filters')}</h2><Panel release={release} /></aside>}
      <div class="stage">
        <section class="bar-top" aria-label={t('What is shown')}>
          <Total release={release} chosen={chosen} />
          <div class="tools">
            {narrow && <Sheet release={release} />}
            <CopyLink />
          </div>
          <Chips release={release} />
        </section>
        <Offline />
        <HowToRead />
        <h2 class="sr">{t('Charts')}</h2>
        <div class="boards" onKeyDown={e => { if (e.key === 'Backspace' && (e.target as Element).hasAttribute('data-mark')) clear(); }}>
          {charts.map((c, i) => (c.kind === 'places'
            ? <PlacesLater key={c.id} release={release.id} chart={c} chosen={chosen} />
            : <ChartOf key={c.id} release={release.id} chart={c} chosen={chosen} wide={c === odd} eager={i < 5} />))}
        </div>
      </div>
      <Tip />
    </div>
  );
}
