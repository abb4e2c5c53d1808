// Choosing: a list of columns with their codes, beside the charts or, on a phone, in a sheet; and the chips of what is chosen.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Column, Release } from './api';
import { byLabel, count, t } from './i18n';
import { shown, under } from './model';
import { clear, drop, filters, toggle } from './state';

const LONG = 12;

interface Section {
  id: string;
  title: string;
  options: { column: string; code: string; label: string; published: boolean }[];
}

/** A flag is one option of its group; every other column is a section of its own. */
export function sectionsOf(release: Release): Section[] {
  const columns = shown(release);
  const sections: Section[] = [];
  const groups = new Map(release.groups.map(g => [g.name, g.title]));
  for (const c of columns) {
    const yes = c.codes[0];
    if (c.kind === 'flag' && yes) {
      const title = groups.get(c.group ?? '') ?? t('Other yes-or-no questions');
      const option = { column: c.name, code: yes.code, label: under(c.title, title), published: yes.published };
      const there = sections.find(s => s.id === `group:${c.group ?? ''}`);
      if (there) there.options.push(option);
      else sections.push({ id: `group:${c.group ?? ''}`, title, options: [option] });
    } else {
      const options = c.codes.map(x => ({ column: c.name, code: x.code, label: x.label, published: x.published }));
      if (options.length > LONG && c.kind !== 'year') options.sort((a, b) => byLabel(a.label, b.label));
      sections.push({ id: c.name, title: c.title, options });
    }
  }
  return sections;
}

function Options({ section }: { section: Section }) {
  const [search, setSearch] = useState('');
  const chosen = filters.value;
  const fold = (text: string): string => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
  const long = section.options.length > LONG + 12;
  const found = section.options.filter(o => (search ? fold(o.label).includes(fold(search)) : !long || o.published || chosen.get(o.column)?.includes(o.code)));
  return (
    <>
      {long && (
        <input type="search" class="find" value={search} onInput={e => setSearch(e.currentTarget.value)}
          aria-label={t('Search in {title}', { title: section.title })} placeholder={t('Search')} />
      )}
      <ul class="options">
        {found.map(o => (
          <li key={o.column + o.code}>
            <label>
              <input type="checkbox" checked={chosen.get(o.column)?.includes(o.code) ?? false} onChange={() => toggle(o.column, o.code)} />
              <span>{o.label}</span>
            </label>
          </li>
        ))}
      </ul>
      {!found.length && <p class="note">{t('Nothing has this name.')}</p>}
    </>
  );
}

export function Panel({ release }: { release: Release }) {
  const sections = useMemo(() => sectionsOf(release), [release]);
  const chosen = filters.value;
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const set = (id: string, on: boolean): void => {
    if (on === open.has(id)) return;
    const next = new Set(open);
    if (on) next.add(id);
    else next.delete(id);
    setOpen(next);
  };
  return (
    <div class="panel">
      {sections.map(s => {
        const n = s.options.filter(o => chosen.get(o.column)?.includes(o.code)).length;
        return (
          <details key={s.id} open={open.has(s.id)} onToggle={e => set(s.id, e.currentTarget.open)}>
            <summary>
              {s.title} {n > 0 && <span class="chosen-count">{count(n)}</span>}
            </summary>
            {open.has(s.id) && <Options section={s} />}
          </details>
        );
      })}
    </div>
  );
}

const words = (column: Column | undefined, code: string, groups: ReadonlyMap<string, string>): string => {
  if (!column) return code;
  if (column.kind === 'flag') return under(column.title, groups.get(column.group ?? '') ?? '');
  return column.codes.find(c => c.code === code)?.label ?? code;
};

/** What is chosen, each with a way to take it back. */
export function Chips({ release }: { release: Release }) {
  const chosen = filters.value;
  const columns = new Map(release.columns.map(c => [c.name, c]));
  const groups = new Map(release.groups.map(g => [g.name, g.title]));
  if (!chosen.size) return <p class="picked note">{t('Everyone in this release. Choose a bar, a country or a filter to look closer.')}</p>;
  return (
    <ul class="picked" aria-label={t('Chosen filters')}>
      {[...chosen].map(([name, codes]) => {
        const column = columns.get(name);
        const labels = codes.map(code => words(column, code, groups));
        const label = labels.length > 3 ? `${labels.slice(0, 3).join(', ')} +${count(labels.length - 3)}` : labels.join(', ');
        const title = column?.kind === 'flag' ? groups.get(column.group ?? '') ?? '' : column?.title ?? name;
        return (
          <li key={name}>
            <button type="button" class="chip" onClick={() => drop(name)} aria-label={t('Take away: {title}: {label}', { title, label })}>
              {title && <small>{title}</small>} {label} <span aria-hidden="true">×</span>
            </button>
          </li>
        );
      })}
      <li><button type="button" class="plain" onClick={clear}>{t('Clear all')}</button></li>
    </ul>
  );
}

const narrow = matchMedia('(max-width: 61.99rem)');

export function useNarrow(): boolean {
  const [is, set] = useState(narrow.matches);
  useEffect(() => {
    const change = (): void => set(narrow.matches);
    narrow.addEventListener('change', change);
    return () => narrow.removeEventListener('change', change);
  }, []);
  return is;
}

/** On a phone the panel is a sheet over the page; the charts behind it answer while one chooses. */
export function Sheet({ release }: { release: Release }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const n = filters.value.size;
  return (
    <>
      <button type="button" class="button" onClick={() => dialog.current?.showModal()} aria-haspopup="dialog">
        {n ? t('Filters ({n})', { n: count(n) }) : t('Filters')}
      </button>
      <dialog class="sheet" ref={dialog} aria-label={t('Filters')} onClick={e => e.target === dialog.current && dialog.current?.close()}>
        <div class="sheet-inner">
          <header>
            <h2>{t('Filters')}</h2>
            <button type="button" class="button" onClick={() => dialog.current?.close()}>{t('Show the charts')}</button>
          </header>
          <Panel release={release} />
        </div>
      </dialog>
    </>
  );
}
