// The frame of a chart: title, one sentence that says it, the chart, what its percentages are of, where its numbers come from, table, downloads.
import type { ComponentChildren, RefObject } from 'preact';
import { useState } from 'preact/hooks';
import { tabulateAddress, type Cell, type Question, type Table } from './api';
import { count, percent, t } from './i18n';
import { interval, labelOf, sourceWords, value } from './marks';

export interface Picture {
  title: string;
  kind: 'rows' | 'columns';
  table: Table;
  notes: string[];
}

/** What the chart shows, for those who do not see it. */
export function summary(table: Table, ordered: boolean, joint?: string): string {
  const known = table.cells.filter(c => c.count !== null);
  if (!known.length) return t('No number of this question was released.');
  const most = known.reduce((a, b) => ((b.count ?? 0) > (a.count ?? 0) ? b : a));
  const close = known.filter(c => (c.high ?? c.count ?? 0) >= (most.low ?? most.count ?? 0));
  if (close.length > 1) {
    const named = close.slice(0, 4).map(c => labelOf(c, joint));
    return `${t('Largest, too close to tell which:')} ${named.join(', ')}${close.length > named.length ? ' …' : ''}`;
  }
  const puts = { label: labelOf(most, joint), n: value(most), interval: interval(most), share: most.percent === null ? '' : percent(most.percent) };
  const first = known[0] as Cell;
  const last = known[known.length - 1] as Cell;
  if (ordered && known.length > 1)
    return t('From {first} to {last}; most in {label}: {n}.', { ...puts, first: labelOf(first), last: labelOf(last) });
  return most.percent === null ? t('Most: {label}, {n}.', puts) : t('Most: {label}, {n} ({share}).', puts);
}

export function denominatorWords(table: Table): string {
  const n = table.denominator?.count;
  if (!n || !table.cells.some(c => c.percent !== null)) return '';
  const group = table.dimensions.some(d => d.kind === 'group');
  return group
    ? t('Percent of the {n} people with at least one yes in this group; one person may have several.', { n: count(n) })
    : t('Percent of the {n} people with a recorded value.', { n: count(n) });
}

function Twin({ table, title }: { table: Table; title: string }) {
  const shares = table.cells.some(c => c.percent !== null);
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={`${t('Table')}: ${title}`}>
      <table>
        <thead>
          <tr>
            {table.dimensions.map(d => <th scope="col" key={d.title}>{d.title}</th>)}
            <th scope="col">{t('People')}</th>
            <th scope="col">{t('95% interval')}</th>
            {shares && <th scope="col">{t('Percent')}</th>}
            <th scope="col">{t('Note')}</th>
          </tr>
        </thead>
        <tbody>
          {table.cells.slice(0, 400).map(c => (
            <tr key={c.codes.join('\n')}>
              {c.labels.map((label, i) => (i ? <td key={i}>{label}</td> : <th scope="row" key={i}>{label}</th>))}
              <td>{value(c)}</td>
              <td>{interval(c)}</td>
              {shares && <td>{c.percent === null || c.count === null ? '' : percent(c.percent)}</td>}
              <td>{c.reason ?? ''}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {table.cells.length > 400 && <p class="note">{t('The first {n} rows; the downloads have all of them.', { n: count(400) })}</p>}
    </div>
  );
}

function Downloads({ release, question, title, picture }: { release: string; question: Question | null; title: string; picture: () => Promise<string> | string }) {
  const [failed, setFailed] = useState(false);
  const save = async (kind: 'svg' | 'png'): Promise<void> => {
    try {
      const { download } = await import('./picture');
      await download(await picture(), kind, title);
      setFailed(false);
    } catch {
      setFailed(true);
    }
  };
  return (
    <details class="downloads">
      <summary>{t('Download')}</summary>
      <ul>
        {question && (['csv', 'hxl', 'xlsx'] as const).map(format => (
          <li key={format}>
            <a href={tabulateAddress(release, question, format)} download>{format === 'hxl' ? 'CSV + HXL' : format.toUpperCase()}</a>
          </li>
        ))}
        {(['svg', 'png'] as const).map(kind => (
          <li key={kind}><button type="button" class="plain" onClick={() => void save(kind)}>{kind.toUpperCase()}</button></li>
        ))}
      </ul>
      {failed && <p role="alert">{t('This browser could not make the picture.')}</p>}
    </details>
  );
}

export interface FrameProps {
  id: string;
  title: string;
  shape?: 'wide' | 'tall' | '';
  release: string;
  question: Question | null; // null: no one question gives these numbers
  table: Table | null;
  error: string | null;
  busy: boolean;
  box?: RefObject<HTMLElement | null>;
  ordered?: boolean;
  joint?: string; // between the labels of a cell with two
  shares?: boolean; // the chart draws percentages, so it says of what
  minimum?: string; // class that reserves the chart's height until it is there
  rows?: number; // or the rows that it will have
  picture?: () => Promise<string> | string;
  tools?: ComponentChildren;
  children: (table: Table) => ComponentChildren;
}

export function Frame(p: FrameProps) {
  const [open, setOpen] = useState(false);
  const { table } = p;
  const heading = `chart-${p.id}`;
  const notes = table ? [p.shares ? denominatorWords(table) : '', sourceWords(table)].filter(Boolean) : [];
  const picture = p.picture ?? (async () => {
    const { barsPicture } = await import('./picture');
    return table ? barsPicture({ title: p.title, kind: p.ordered ? 'columns' : 'rows', table, notes }) : '';
  });
  return (
    <figure class={`chart card live ${p.shape ?? ''}`} aria-labelledby={heading} aria-busy={p.busy} ref={p.box ?? null}>
      <figcaption>
        <h3 id={heading}>{p.title}</h3>
        {p.tools}
        <p class="summary">{table ? summary(table, p.ordered ?? false, p.joint) : '\u00a0'}</p>
      </figcaption>
      <div class={`plot-box ${p.minimum ?? ''}`} style={p.rows ? { minBlockSize: `${(p.rows * 2.9).toFixed(1)}rem` } : {}}>
        {p.error ? <p class="problem" role="status">{p.error}</p> : table ? p.children(table) : null}
      </div>
      <footer>
        {table && !p.error && (
          <>
            {notes.map(n => <p class="note" key={n}>{n}</p>)}
            <div class="card-tools">
              <details onToggle={e => setOpen(e.currentTarget.open)}>
                <summary>{t('Table')}</summary>
                {open && <Twin table={table} title={p.title} />}
              </details>
              <Downloads release={p.release} question={p.question} title={p.title} picture={picture} />
            </div>
          </>
        )}
      </footer>
    </figure>
  );
}
