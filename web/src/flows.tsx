// Corridors: two columns of places and the bands between them. Own layout: with two columns, stacking and one barycentre pass per side suffice.
import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Cell, Column, Filters, Table } from './api';
import { exactly } from './charts';
import { count, rtl, t } from './i18n';
import { described, tipped, useRoving, value } from './marks';

const MOST = 36;
const GAP = 10;
const SMALLEST = 14; // of a place, so that its name fits

interface Node {
  code: string;
  label: string;
  total: number;
  y: number;
  height: number;
}
interface Band {
  cell: Cell;
  from: Node;
  to: Node;
  y0: number;
  y1: number;
  width: number;
}

function sideOf(cells: readonly Cell[], at: 0 | 1): Map<string, Node> {
  const nodes = new Map<string, Node>();
  for (const c of cells) {
    const code = c.codes[at] ?? '';
    const node = nodes.get(code) ?? { code, label: c.labels[at] ?? code, total: 0, y: 0, height: 0 };
    node.total += c.count ?? 0;
    nodes.set(code, node);
  }
  return nodes;
}

function stack(nodes: Node[], scale: number): number {
  let y = 0;
  for (const n of nodes) {
    [n.y, n.height] = [y, Math.max(SMALLEST, n.total * scale)];
    y += n.height + GAP;
  }
  return y - GAP;
}

export function layout(cells: readonly Cell[], room: number): { left: Node[]; right: Node[]; bands: Band[]; height: number } {
  const [from, to] = [sideOf(cells, 0), sideOf(cells, 1)];
  const left = [...from.values()].sort((a, b) => b.total - a.total);
  const right = [...to.values()].sort((a, b) => b.total - a.total);
  const total = cells.reduce((sum, c) => sum + (c.count ?? 0), 0) || 1;
  const scale = Math.max(0.2, (room - GAP * Math.max(left.length, right.length)) / room) * room / total;
  stack(left, scale);
  // A place goes to the height of what flows into it, on average.
  const middle = (code: string): number => {
    let [sum, weight] = [0, 0];
    for (const c of cells) {
      const n = c.codes[1] === code ? from.get(c.codes[0] ?? '') : undefined;
      if (n) [sum, weight] = [sum + (n.y + n.height / 2) * (c.count ?? 0), weight + (c.count ?? 0)];
    }
    return sum / (weight || 1);
  };
  right.sort((a, b) => middle(a.code) - middle(b.code));
  const height = Math.max(stack(left, scale), stack(right, scale));
  const used = new Map<Node, number>();
  const take = (n: Node, width: number): number => {
    const y = n.y + (used.get(n) ?? (n.height - n.total * scale) / 2);
    used.set(n, (used.get(n) ?? (n.height - n.total * scale) / 2) + width);
    return y + width / 2;
  };
  const links = cells.map(cell => (
    { cell, from: from.get(cell.codes[0] ?? '') as Node, to: to.get(cell.codes[1] ?? '') as Node, width: (cell.count ?? 0) * scale }));
  const y1 = new Map<Cell, number>();
  [...links].sort((a, b) => a.from.y - b.from.y).forEach(l => y1.set(l.cell, take(l.to, l.width)));
  const bands = [...links].sort((a, b) => a.to.y - b.to.y).map(l => ({ ...l, y0: take(l.from, l.width), y1: y1.get(l.cell) ?? 0 }));
  return { left, right, bands, height };
}

function useWidth(): [ref: RefObject<HTMLDivElement | null>, width: number] {
  const ref = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    if (!ref.current) return undefined;
    const watch = new ResizeObserver(entries => setWidth(Math.round(entries[0]?.contentRect.width ?? 0)));
    watch.observe(ref.current);
    return () => watch.disconnect();
  }, []);
  return [ref, width];
}

interface FlowsProps {
  table: Table;
  from: Column;
  to: Column;
  chosen: Filters;
  onChoose: (pairs: [string, string][]) => void;
}

export function Flows({ table, from, to, chosen, onChoose }: FlowsProps) {
  const [box, width] = useWidth();
  const roving = useRoving<SVGGElement>();
  const keep = (c: Cell): boolean => [from, to].every((column, i) => !chosen.has(column.name) || exactly(chosen, column.name, c.codes[i]));
  const known = table.cells.filter(c => c.count !== null && c.count > 0 && keep(c)).sort((a, b) => (b.count ?? 0) - (a.count ?? 0));
  const cells = known.slice(0, MOST);
  const { left, right, bands, height } = layout(cells, 420);
  const label = Math.min(190, width * 0.3);
  const [x0, x1] = [label, width - label];
  const flip = (x: number): number => (rtl ? width - x : x);
  const bend = (b: Band): string => {
    const m = (x0 + 8 + x1 - 8) / 2;
    return `M${flip(x0 + 8)} ${b.y0.toFixed(1)}C${flip(m)} ${b.y0.toFixed(1)} ${flip(m)} ${b.y1.toFixed(1)} ${flip(x1 - 8)} ${b.y1.toFixed(1)}`;
  };
  const name = (n: Node, end: boolean) => {
    const room = Math.floor(label / 8.2);
    const text = n.label.length > room ? `${n.label.slice(0, room - 1)}…` : n.label;
    const x = end ? x1 + 6 : x0 - 6;
    return (
      <g key={n.code} class="node">
        <rect x={Math.min(flip(end ? x1 - 8 : x0), flip(end ? x1 : x0 + 8))} y={n.y} width="8" height={n.height} />
        <text x={flip(x)} y={n.y + n.height / 2} dy="0.35em" text-anchor={end ? 'start' : 'end'} direction={rtl ? 'rtl' : 'ltr'}>
          <title>{n.label}</title>
          {text}
        </text>
      </g>
    );
  };
  if (!cells.length) return <p class="note">{t('No number of this question was released.')}</p>;
  return (
    <div class="flows-box" ref={box}>
      <div class="flows-heads" aria-hidden="true"><span>{from.title}</span><span>{to.title}</span></div>
      {width > 0 && (
        <svg class="flows" viewBox={`0 0 ${width} ${Math.ceil(height) + 4}`} width={width} height={Math.ceil(height) + 4} role="group"
          aria-label={t('From {a} to {b}', { a: from.title, b: to.title })}>
          <g {...roving}>
            {bands.map(b => {
              const wide = b.cell.high !== null && b.cell.count ? (b.width * b.cell.high) / b.cell.count : b.width;
              const pairs: [string, string][] = [[from.name, b.from.code], [to.name, b.to.code]];
              const words = described({ ...b.cell, labels: [`${b.from.label} ${rtl ? '←' : '→'} ${b.to.label}`] });
              return (
                <g key={b.cell.codes.join()} class="flow" data-mark data-state={b.cell.state} role="button" tabindex={-1} aria-label={words}
                  onClick={() => onChoose(pairs)} {...tipped(words)}
                  onKeyDown={e => { if (e.key === 'Enter' || e.key === ' ') { e.preventDefault(); onChoose(pairs); } }}>
                  <path class="possible" d={bend(b)} stroke-width={Math.max(2, wide).toFixed(1)} />
                  <path class="band" d={bend(b)} stroke-width={Math.max(1, b.width).toFixed(1)}><title>{value(b.cell)}</title></path>
                </g>
              );
            })}
          </g>
          <g aria-hidden="true">{left.map(n => name(n, false))}{right.map(n => name(n, true))}</g>
        </svg>
      )}
      <p class="note">
        {t('The {n} largest corridors with a number; the pale edge of a band reaches to the upper end of its interval.', { n: count(cells.length) })}{' '}
        {known.length > cells.length && t('{n} smaller ones are in the table.', { n: count(known.length - cells.length) })}
      </p>
    </div>
  );
}
