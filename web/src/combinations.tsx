// Combinations: any set of attributes up to the release's length, its count, and what occurs with it most.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { combinationsAddress, condition, readCondition, releaseAddress, useAnswer, useReady, type Company, type Release, type Table } from './api';
import { Bars } from './charts';
import { Offline } from './explore';
import { sectionsOf } from './filters';
import { count, percent, t } from './i18n';
import { interval, sentence, Tip } from './marks';

const FOUND = 40;
const MOST = 24;

interface Option {
  attribute: string; // as the address has it
  column: string;
  code: string;
  words: string; // "Citizenship: Ukraine"
}

const read = (): string[] => [...new Set(new URLSearchParams(location.search).getAll('attr'))].filter(a => readCondition(a)?.codes.length === 1);

function write(set: readonly string[]): void {
  const query = new URLSearchParams(location.search);
  query.delete('attr');
  set.forEach(a => query.append('attr', a));
  const text = query.toString().replace(/%3A/g, ':');
  history.pushState(null, '', location.pathname + (text ? `?${text}` : ''));
}

function optionsOf(release: Release): Option[] {
  return sectionsOf(release).flatMap(s => s.options.map(o => (
    { attribute: condition(o.column, [o.code]), column: o.column, code: o.code, words: `${s.title}: ${o.label}` })));
}

/** A text field that finds attributes; arrows and Enter choose (ARIA combobox with a list). */
function Picker({ options, onPick, full }: { options: Option[]; onPick: (o: Option) => void; full: boolean }) {
  const [text, setText] = useState('');
  const [at, setAt] = useState(-1);
  const [open, setOpen] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const fold = (s: string): string => s.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
  const folded = useMemo(() => options.map(o => ({ o, f: fold(o.words) })), [options]);
  const found = folded.filter(({ f }) => fold(text).split(/\s+/).every(word => f.includes(word))).slice(0, FOUND).map(({ o }) => o);
  const pick = (o: Option | undefined): void => {
    if (!o) return;
    onPick(o);
    setText('');
    setAt(-1);
    setOpen(false);
    field.current?.focus();
  };
  const key = (e: KeyboardEvent): void => {
    if (e.key === 'ArrowDown' || e.key === 'ArrowUp') {
      e.preventDefault();
      setOpen(true);
      setAt(Math.max(0, Math.min(found.length - 1, at + (e.key === 'ArrowDown' ? 1 : -1))));
    } else if (e.key === 'Enter' && open) {
      e.preventDefault();
      pick(found[Math.max(0, at)]);
    } else if (e.key === 'Escape') setOpen(false);
  };
  const expanded = open && found.length > 0 && !full;
  return (
    <div class="picker">
      <label for="attribute">{t('Add an attribute')}</label>
      <input id="attribute" ref={field} type="text" role="combobox" autocomplete="off" aria-expanded={expanded} aria-controls="attributes"
        aria-autocomplete="list" aria-activedescendant={expanded && at >= 0 ? `attribute-${at}` : undefined} disabled={full} value={text}
        placeholder={t('For example a country, an age band, a means of control')} onKeyDown={key} onFocus={() => setOpen(true)}
        onBlur={() => setTimeout(() => setOpen(false), 150)}
        onInput={e => { setText(e.currentTarget.value); setAt(-1); setOpen(true); }} />
      <ul id="attributes" role="listbox" aria-label={t('Attributes')} hidden={!expanded}>
        {expanded && found.map((o, i) => (
          <li key={o.attribute} id={`attribute-${i}`} role="option" aria-selected={i === at} onPointerDown={e => { e.preventDefault(); pick(o); }}>{o.words}</li>
        ))}
      </ul>
    </div>
  );
}

/** The neighbours as a table of cells, so that they are drawn by the bars that draw everything else. */
const asTable = (c: Company, words: (attribute: string) => string): Table => ({
  source: c.source,
  source_reason: c.source_reason,
  total: c.figure,
  denominator: c.figure.count ? { ...c.figure } : null,
  dimensions: [],
  cells: c.with.map(n => ({ ...n, codes: [condition(n.column, [n.code])], labels: [words(condition(n.column, [n.code]))], percent_low: null, percent_high: null })),
  not_listed: { count: 0, reason: null },
  note: '',
});

export function Combinations({ id, onReady }: { id: string; onReady: () => void }) {
  const { value: release, error } = useAnswer<Release>(releaseAddress(id));
  const [set, setSet] = useState(read);
  useEffect(() => {
    const follow = (): void => setSet(read());
    addEventListener('popstate', follow);
    return () => removeEventListener('popstate', follow);
  }, []);
  const options = useMemo(() => (release ? optionsOf(release) : []), [release]);
  const { value: company, error: fault, busy } = useAnswer<Company>(set.length ? combinationsAddress(id, set, MOST) : null);
  useReady(release !== null || error !== null, onReady);
  if (error) return <p class="problem" role="alert">{error}</p>;
  if (!release) return null;
  const change = (next: string[]): void => {
    write(next);
    setSet(next);
  };
  const full = set.length >= release.length;
  const columns = new Set(set.map(a => readCondition(a)?.column));
  const single = new Set(release.columns.filter(c => c.kind !== 'set').map(c => c.name));
  const free = options.filter(o => !set.includes(o.attribute) && !(columns.has(o.column) && single.has(o.column)));
  const words = (attribute: string): string => options.find(o => o.attribute === attribute)?.words ?? attribute;
  return (
    <div class="combinations">
      <Offline />
      <section class="card live" aria-label={t('The set')}>
        <Picker options={free} full={full} onPick={o => change([...set, o.attribute])} />
        <p class="note" role="status">
          {full ? t('This release counted sets of up to {n} attributes. Take one away to add another.', { n: count(release.length) })
            : t('Up to {n} attributes together have released counts.', { n: count(release.length) })}
        </p>
        {set.length > 0 && (
          <ul class="picked" aria-label={t('The set')}>
            {set.map(a => (
              <li key={a}>
                <button type="button" class="chip" onClick={() => change(set.filter(x => x !== a))} aria-label={t('Take away: {label}', { label: words(a) })}>
                  {words(a)} <span aria-hidden="true">×</span>
                </button>
              </li>
            ))}
            <li><button type="button" class="plain" onClick={() => change([])}>{t('Clear all')}</button></li>
          </ul>
        )}
      </section>
      {!set.length && <p class="note">{t('Choose an attribute to see how many people have it, and what occurs with it.')}</p>}
      {fault && <p class="problem" role="status">{fault}</p>}
      {set.length > 0 && company && !fault && (
        <section class="card live" aria-busy={busy} aria-live="polite" aria-label={t('The count')}>
          <p class="total">
            <strong>{company.figure.count === null ? '–' : count(company.figure.count)}</strong>{' '}
            <span>{company.figure.count === null ? sentence(company.figure) : t('people have all of these')}</span>
            {company.figure.low !== null && <small>{t('95% interval: {range}', { range: interval(company.figure) })}</small>}
          </p>
          {company.figure.reason && company.figure.count !== null && <p class="note">{company.figure.reason}</p>}
          {company.with.length > 0 && (
            <>
              <h2>{t('What occurs with it most')}</h2>
              <p class="note">
                {company.figure.count !== null && t('Percent of these people. Choose a row to add it.')} {company.source_reason ?? ''}
              </p>
              <Bars table={asTable(company, words)} ranked={false} name={t('What occurs with it most')} chosen={() => false}
                onChoose={([attribute]) => { if (attribute && !full) change([...set, attribute]); }} />
            </>
          )}
          {company.hidden > 0 && <p class="note">{t('{n} more attributes have no number together with this set.', { n: count(company.hidden) })}</p>}
          <p class="card-tools">
            <span class="note">{t('Download')}</span>
            {(['csv', 'hxl', 'xlsx'] as const).map(f => (
              <a key={f} href={combinationsAddress(id, set, 1000, f)} download>{f === 'hxl' ? 'CSV + HXL' : f.toUpperCase()}</a>
            ))}
          </p>
          {company.figure.count !== null && release.people.estimate !== null && release.people.estimate > 0 && (
            <p class="note">{t('That is {share} of everyone in this release.', { share: percent((100 * company.figure.count) / release.people.estimate) })}</p>
          )}
        </section>
      )}
      <Tip />
    </div>
  );
}
