// Bars, years and the grid of two columns. HTML, not SVG: words wrap, both directions of writing work, and print works.
import { useState } from 'preact/hooks';
import type { Cell, Filters, Table } from './api';
import { count, percent, short, t } from './i18n';
import { aside, described, labelOf, reach, sentence, span, step, tipped, useRoving, value } from './marks';

const MOST_ROWS = 10;
const size = (part: number, whole: number): string => `${Math.max(0, Math.min(100, (100 * part) / whole)).toFixed(2)}%`;

/** The bar and its whisker; without a number, the hatched empty track. `along`: which way it grows. */
function Gauge({ cell, top, along, tick }: { cell: Cell; top: number; along: 'inline' | 'block'; tick?: number | null }) {
  const inline = along === 'inline';
  const fill = cell.count === null ? null : size(cell.count, top);
  const from = cell.low === null ? null : size(cell.low, top);
  const beyond = cell.high === null || cell.high > top; // not known, or past the end of the axis: no end is drawn
  const length = cell.low === null ? null : size((beyond ? top : (cell.high ?? top)) - Math.min(cell.low, top), top);
  return (
    <span class={`gauge ${along}`} data-state={cell.state}>
      {fill !== null && <span class="fill" style={inline ? { inlineSize: fill } : { blockSize: fill }} />}
      {from !== null && length !== null && (
        <span class={beyond ? 'whisker open' : 'whisker'}
          style={inline ? { insetInlineStart: from, inlineSize: length } : { insetBlockEnd: from, blockSize: length }} />
      )}
      {tick !== null && tick !== undefined && <span class="tick" style={{ insetInlineStart: size(tick, top) }} />}
    </span>
  );
}

export interface Marks {
  table: Table;
  everyone?: Table | null; // the same without filters, for comparison
  chosen: (codes: readonly string[]) => boolean;
  leads?: boolean; // choosing leads to another page: a mark is then no switch
  onChoose: (codes: readonly string[]) => void;
}

/** Rows: a share where there is a denominator, else a number. */
export function Bars({ table, everyone, chosen, leads, onChoose, ranked, name }: Marks & { ranked: boolean; name: string }) {
  const [all, setAll] = useState(false);
  const roving = useRoving<HTMLUListElement>();
  const before = new Map((everyone ?? table).cells.map(c => [c.codes[0], c]));
  const cells = ranked
    ? [...table.cells].sort((a, b) => (before.get(b.codes[0])?.count ?? -1) - (before.get(a.codes[0])?.count ?? -1))
    : table.cells;
  const known = cells.filter(c => c.count !== null);
  const long = cells.length > MOST_ROWS + 2;
  const listed = !long ? cells : all ? known : known.filter((c, i) => i < MOST_ROWS || chosen(c.codes));
  const hidden = long ? cells.length - known.length + table.not_listed.count : 0;
  const shares = cells.some(c => c.percent !== null && c.percent >= 20);
  const scale = table.denominator?.count ? (shares ? table.denominator.count : reach(listed)) : reach(listed);
  const compare = shares && everyone && everyone !== table && everyone.denominator?.count;
  const anyChosen = cells.some(c => chosen(c.codes));
  return (
    <>
      <ul class="rows" aria-label={name} {...roving}>
        {listed.map(c => {
          const on = chosen(c.codes);
          const share = compare ? before.get(c.codes[0])?.percent ?? null : null;
          const other = share === null ? '' : ` ${t('Everyone: {percent}.', { percent: percent(share) })}`;
          return (
            <li key={c.codes[0]}>
              <button type="button" class="row" data-mark tabIndex={-1} aria-pressed={leads ? undefined : on} data-dim={anyChosen && !on}
                onClick={() => onChoose(c.codes)} {...tipped(described(c) + other)}>
                <span class="row-label">{c.labels[0]}</span>
                <span class="row-value" data-state={c.state}>
                  {value(c)}{' '}
                  {c.percent !== null && c.count !== null && <small>{percent(c.percent)}</small>}
                </span>
                <span class="sr">{aside(c) + other}</span>
                <Gauge cell={c} top={scale} along="inline" tick={share === null ? null : (share / 100) * scale} />
              </button>
            </li>
          );
        })}
      </ul>
      {long && known.length > MOST_ROWS && (
        <button type="button" class="plain" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? t('Show the {n} largest', { n: count(MOST_ROWS) }) : t('Show all {n}', { n: count(known.length) })}
        </button>
      )}
      {hidden > 0 && <p class="note hidden-note">{t('{n} more have no released number.', { n: count(hidden) })}</p>}
    </>
  );
}

/** One column per year, whiskers on top, a scale beside. */
export function Years({ table, chosen, leads, onChoose, name }: Marks & { name: string }) {
  const roving = useRoving<HTMLUListElement>();
  const cells = span(table.cells);
  const by = step(reach(cells));
  const anyChosen = cells.some(c => chosen(c.codes));
  const every = Math.ceil(cells.length / 8);
  return (
    <div class="years">
      <div class="scale" aria-hidden="true">
        {[4, 3, 2, 1, 0].map(n => <span key={n}>{short(by * n)}</span>)}
      </div>
      <ul class="columns-plot" aria-label={name} {...roving}>
        {cells.map((c, i) => {
          const on = chosen(c.codes);
          return (
            <li key={c.codes[0]}>
              <button type="button" class="column" data-mark tabIndex={-1} aria-pressed={leads ? undefined : on} data-dim={anyChosen && !on}
                aria-label={described(c)} onClick={() => onChoose(c.codes)} {...tipped(described(c))}>
                <Gauge cell={c} top={by * 4} along="block" />
              </button>
              <span class="year" aria-hidden="true">{(cells.length - 1 - i) % every === 0 ? c.labels[0] : ''}</span>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

/** Two columns of the release crossed: a table whose cells are buttons, each with its bar. */
export function Grid({ table, chosen, leads, onChoose, name }: Marks & { name: string }) {
  const rows = [...new Map(table.cells.map(c => [c.codes[0] ?? '', c.labels[0] ?? ''])).entries()];
  const columns = [...new Map(table.cells.map(c => [c.codes[1] ?? '', c.labels[1] ?? ''])).entries()];
  const roving = useRoving<HTMLTableElement>(columns.length);
  const at = new Map(table.cells.map(c => [c.codes.join('\n'), c]));
  const top = reach(table.cells);
  const anyChosen = table.cells.some(c => chosen(c.codes));
  return (
    <table class="grid" aria-label={name} {...roving}>
      <thead>
        <tr>
          <td />
          {columns.map(([code, label]) => <th scope="col" key={code}>{label}</th>)}
        </tr>
      </thead>
      <tbody>
        {rows.map(([row, label]) => (
          <tr key={row}>
            <th scope="row">{label}</th>
            {columns.map(([column]) => {
              const c = at.get(`${row}\n${column}`);
              if (!c) return <td key={column} />;
              const on = chosen(c.codes);
              return (
                <td key={column}>
                  <button type="button" class="cell" data-mark tabIndex={-1} aria-pressed={leads ? undefined : on} data-dim={anyChosen && !on}
                    onClick={() => onChoose(c.codes)} {...tipped(`${labelOf(c)}: ${sentence(c)}`)}>
                    <span class="sr">{labelOf(c)}: </span>
                    <span class="row-value" data-state={c.state}>{c.count === null ? '–' : value(c)}</span>
                    <span class="sr"> {aside(c)}</span>
                    <Gauge cell={c} top={top} along="inline" />
                  </button>
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export const exactly = (filters: Filters, column: string, code: string | undefined): boolean =>
  code !== undefined && (filters.get(column)?.includes(code) ?? false);
