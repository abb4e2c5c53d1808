// Where: a world map for each country column and the corridors between them. Loaded when shown.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { tabulateAddress, useAnswer, type Cell, type Filters, type Question, type Table } from './api';
import { Bars, exactly } from './charts';
import { Flows } from './flows';
import { Frame } from './frame';
import { count, rtl, t } from './i18n';
import { described, tipped, useRoving } from './marks';
import type { Chart } from './model';
import { openExplore, openPlace, place, toggle, togglePair, without } from './state';

declare const WORLD: string; // address of world.json, put in by web/build.py

interface World {
  width: number;
  height: number;
  outline: string;
  uncoded: string;
  shapes: Record<string, string>;
  points: Record<string, [number, number]>;
  alpha2: Record<string, string>;
}

const CLASSES = 5;

/** Upper ends of the classes: round numbers, each about the same factor above the one before. */
function classEnds(cells: readonly Cell[]): number[] {
  const counts = cells.flatMap(c => (c.count ? [c.count] : []));
  if (!counts.length) return [];
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  const factor = (most / least) ** (1 / CLASSES);
  const ends: number[] = [];
  for (let i = 1; i < CLASSES; i++) {
    const raw = least * factor ** i;
    const power = 10 ** Math.floor(Math.log10(raw));
    const end = Math.max(1, Math.round(raw / power) * power);
    if (end > (ends[ends.length - 1] ?? 0) && end < most) ends.push(end);
  }
  return [...ends, most];
}

function Legend({ ends }: { ends: readonly number[] }) {
  return (
    <ul class="key-list">
      {ends.map((end, i) => (
        <li key={end}>
          <span class={`swatch c${i + CLASSES - ends.length}`} aria-hidden="true" />
          {i === 0 ? t('up to {n}', { n: count(end) }) : t('{low} to {high}', { low: count((ends[i - 1] ?? 0) + 1), high: count(end) })}
        </li>
      ))}
      <li><span class="swatch uncertain" aria-hidden="true" />{t('uncertain')}</li>
      <li><span class="swatch none" aria-hidden="true" />{t('not released')}</li>
    </ul>
  );
}

interface MapProps {
  world: World;
  table: Table;
  name: string;
  leads: boolean;
  chosen: (code: string | undefined) => boolean;
  onChoose: (code: string) => void;
}

function WorldMap({ world, table, name, leads, chosen, onChoose }: MapProps) {
  const roving = useRoving<SVGGElement>();
  const ends = classEnds(table.cells);
  const shapeOf = (code = ''): string => world.alpha2[code] ?? code;
  const cells = new Map(table.cells.map(c => [shapeOf(c.codes[0]), c]));
  const ranked = table.cells.filter(c => c.count !== null).sort((a, b) => (b.count ?? 0) - (a.count ?? 0));
  const any = table.cells.some(c => chosen(c.codes[0]));
  const classOf = (c: Cell): string => {
    const at = ends.findIndex(end => (c.count ?? 0) <= end);
    return `c${at + CLASSES - ends.length}`;
  };
  return (
    <>
      <svg class="world" viewBox={`0 0 ${world.width} ${world.height}`} role="group" aria-label={name}>
        <defs>
          <pattern id="map-uncertain" width="60" height="60" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <path class="hatch-line" d="M0 0v60" />
          </pattern>
          <pattern id="map-none" width="70" height="70" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <path class="none-line" d="M0 0v70" />
          </pattern>
        </defs>
        <path class="sea" d={world.outline} />
        <path class="uncoded" d={world.uncoded} />
        {Object.entries(world.shapes).map(([code, d]) => cells.get(code)?.count == null && (
          <path key={code} class={cells.has(code) ? 'land none' : 'land'} d={d} {...(cells.has(code) ? tipped(described(cells.get(code) as Cell)) : {})} />
        ))}
        <g {...roving}>
          {ranked.map(c => {
            const code = c.codes[0] as string;
            const [shape, point] = [world.shapes[shapeOf(code)], world.points[shapeOf(code)]];
            const words = described(c);
            return (
              <g key={code} class={`country ${classOf(c)}`} data-mark data-state={c.state} data-dim={any && !chosen(code)} role="button" tabindex={-1}
                aria-pressed={leads ? undefined : chosen(code)} aria-label={words} onClick={() => onChoose(code)} {...tipped(words)}
                onKeyDown={e => { if (e.key === 'Enter' || e.key === ' ') { e.preventDefault(); onChoose(code); } }}>
                {shape && <path d={shape} />}
                {shape && c.state === 'uncertain' && <path class="over" d={shape} />}
                {point && <circle cx={point[0]} cy={point[1]} r={c.state === 'uncertain' ? 32 : 42} />}
              </g>
            );
          })}
        </g>
      </svg>
      <Legend ends={ends} />
    </>
  );
}

type PlaceChart = Extract<Chart, { kind: 'places' }>;
type View = 'from' | 'to' | 'corridors';

export function Places({ release, chart, chosen, only, locked }: { release: string; chart: PlaceChart; chosen: Filters; only?: View; locked?: boolean }) {
  const [world, setWorld] = useState<World | null>(null);
  const [failed, setFailed] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const views: View[] = chart.to ? ['from', 'to', 'corridors'] : ['from'];
  const view = only ?? views.find(v => v === place.value) ?? 'from';
  useEffect(() => {
    fetch(WORLD).then(async answer => setWorld(await answer.json())).catch(() => setFailed(true));
  }, []);
  const column = view === 'to' && chart.to ? chart.to : chart.from;
  const question: Question = useMemo(() => (view === 'corridors' && chart.to
    ? { by: [chart.from.name, chart.to.name], where: without(chosen, chart.from.name, chart.to.name) }
    : { by: [column.name], where: without(chosen, column.name) }), [view, chosen, chart]);
  const { value, error, busy } = useAnswer<Table>(tabulateAddress(release, question));
  const fits = value !== null && value.dimensions.length === (view === 'corridors' ? 2 : 1)
    && value.dimensions.every((d, i) => d.column === question.by?.[i]);
  const titles: Record<View, string> = {
    from: chart.from.title,
    to: chart.to?.title ?? '',
    corridors: t('Corridors'),
  };
  const title = view === 'corridors' && chart.to ? t('From {a} to {b}', { a: chart.from.title, b: chart.to.title }) : titles[view];
  const tabs = only || views.length < 2 ? null : (
    <div class="tabs-line" role="group" aria-label={t('Show')}>
      {views.map(v => (
        <button type="button" key={v} class="tab" aria-pressed={v === view} onClick={() => openPlace(v)}>{titles[v]}</button>
      ))}
    </div>
  );
  const picture = async (): Promise<string> => {
    const { pagePicture } = await import('./picture');
    const svg = box.current?.querySelector<SVGSVGElement>('svg.world, svg.flows');
    return svg ? pagePicture(svg, title, view === 'corridors' ? [] : [disclaimer()], box.current?.querySelector('.key-list') ?? null) : '';
  };
  const choose = (code: string): void => (locked ? openExplore(release, chosen, [[column.name, code]]) : toggle(column.name, code));
  return (
    <div class="wide places" ref={box}>
      <Frame id="places" title={title} shape="wide" shares={view !== 'corridors'} release={release} question={question}
        table={fits ? value : null} error={error} busy={busy} minimum="min-map" joint={rtl ? ' ← ' : ' → '}
        tools={tabs} picture={picture}>
        {table => (view === 'corridors' && chart.to ? (
          <Flows table={table} from={chart.from} to={chart.to} chosen={chosen}
            onChoose={pairs => (locked ? openExplore(release, chosen, pairs) : togglePair(pairs))} />
        ) : (
          <div class="map-and-list">
            <div>
              {world ? (
                <WorldMap world={world} table={table} name={title} leads={locked ?? false}
                  chosen={code => !locked && exactly(chosen, column.name, code)} onChoose={choose} />
              ) : <div class="world-waits">{failed && <p class="problem">{t('The map could not be loaded.')}</p>}</div>}
              <p class="note disclaimer" dir={rtl ? 'rtl' : 'ltr'}>{disclaimer()}</p>
            </div>
            <div>
              <Bars table={table} ranked name={title} leads={locked ?? false} chosen={([code]) => !locked && exactly(chosen, column.name, code)}
                onChoose={([code]) => { if (code) choose(code); }} />
            </div>
          </div>
        ))}
      </Frame>
    </div>
  );
}

const disclaimer = (): string =>
  t('Shapes: Natural Earth, Equal Earth projection; Crimea as in United Nations General Assembly resolution 68/262. Boundaries and names imply no opinion on the legal status of any territory. Areas without an ISO 3166-1 code are drawn grey and carry no number; small countries are dots.');
