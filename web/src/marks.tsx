// What every chart shares: words for a figure, the order of focus, the tip that follows pointer and focus.
import { signal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Cell, Figure, Table } from './api';
import { count, percent, rtl, t } from './i18n';

const low = (n: number): string => count(Math.floor(n));
const high = (n: number): string => count(Math.ceil(n));

export function interval(f: Figure): string {
  if (f.low === null) return '';
  return f.high === null ? t('{low} or more', { low: low(f.low) }) : t('{low} to {high}', { low: low(f.low), high: high(f.high) });
}

/** The short word beside a mark. */
export function value(f: Figure): string {
  if (f.count !== null) return f.state === 'estimated' ? `≈\u202f${count(f.count)}` : count(f.count);
  return f.state === 'absent' ? t('none seen') : t('not released');
}

/** The whole truth of a figure in one sentence. */
export function sentence(f: Figure): string {
  if (f.count === null) return f.reason ?? value(f);
  const n = count(f.count);
  if (f.state === 'estimated') return t('About {n} people, counted in synthetic records; no interval was released.', { n });
  if (f.low === null) return t('{n} people.', { n });
  if (f.high === null) return t('At least {low} people: a part of this sum was not released.', { low: low(f.low) });
  const range = { n, low: low(f.low), high: high(f.high) };
  return f.state === 'uncertain' ? t('{n} people, uncertain: between {low} and {high}.', range) : t('{n} people, between {low} and {high}.', range);
}

/** What a row's visible label, number and percent do not say yet. */
export function aside(f: Figure): string {
  if (f.count === null) return f.reason ?? '';
  if (f.state === 'estimated') return t('counted in synthetic records');
  if (f.low === null) return '';
  const range = t('95% interval: {range}', { range: interval(f) });
  return f.state === 'uncertain' ? `${t('uncertain')}, ${range}` : range;
}

export const labelOf = (c: Cell, joint = ', '): string => c.labels.join(joint);
export const described = (c: Cell): string =>
  `${labelOf(c)}: ${sentence(c)}${c.percent !== null && c.count !== null ? ` ${percent(c.percent)}.` : ''}`;

/** How wide an axis must be for the marks and their whiskers. */
export const reach = (cells: readonly Cell[]): number =>
  cells.reduce((top, c) => (c.count === null ? top : Math.max(top, c.count, c.high ?? 0)), 0) || 1;

/** From the first cell with a number to the last: years before and after say nothing. */
export function span(cells: Cell[]): Cell[] {
  const first = cells.findIndex(c => c.count !== null);
  return first < 0 ? cells : cells.slice(first, cells.length - [...cells].reverse().findIndex(c => c.count !== null));
}

/** Smallest 1, 2, 2.5 or 5 times a power of ten of which four steps reach the top. */
export function step(top: number): number {
  for (let power = 1; ; power *= 10)
    for (const factor of [1, 2, 2.5, 5]) if (Number.isInteger(power * factor) && power * factor * 4 >= top) return power * factor;
}

export function sourceWords(table: Table): string {
  if (table.source === 'aggregates') return t('Released counts, each with the interval that holds the true number in 95 of 100 cases.');
  const reason = table.source_reason ? ` ${table.source_reason}` : '';
  return (
    (table.source === 'records'
      ? t('Counted in synthetic records: estimates without an interval.')
      : t('Partly released counts, partly counted in synthetic records (≈).')) + reason
  );
}

// ---- focus: one stop of the tab key per chart, arrows inside ---------------------------------------------------------------------------

type Mark = HTMLElement | SVGElement;
const marksOf = (box: Element): Mark[] => [...box.querySelectorAll<Mark>('[data-mark]')];

export function useRoving<T extends Element>(across = 1): {
  ref: RefObject<T | null>;
  onKeyDown: (e: KeyboardEvent) => void;
  onFocusIn: (e: FocusEvent) => void;
} {
  const ref = useRef<T>(null);
  useEffect(() => {
    const marks = ref.current ? marksOf(ref.current) : [];
    if (marks.length && !marks.some(m => m.tabIndex === 0)) (marks[0] as Mark).tabIndex = 0;
  });
  const onKeyDown = (e: KeyboardEvent): void => {
    if (!ref.current) return;
    const marks = marksOf(ref.current);
    const at = marks.indexOf(e.target as Mark);
    const side = rtl ? -1 : 1;
    const moves: Record<string, number> = {
      ArrowDown: at + across, ArrowUp: at - across, ArrowRight: at + side, ArrowLeft: at - side, Home: 0, End: marks.length - 1,
    };
    const to = moves[e.key];
    if (at < 0 || to === undefined) return;
    e.preventDefault();
    marks[to]?.focus();
  };
  const onFocusIn = (e: FocusEvent): void => {
    if (!ref.current || !(e.target as Element).hasAttribute('data-mark')) return;
    marksOf(ref.current).forEach(m => (m.tabIndex = m === e.target ? 0 : -1));
  };
  return { ref, onKeyDown, onFocusIn };
}

// ---- tip -----------------------------------------------------------------------------------------------------------------------------

const tip = signal<{ text: string; box: DOMRect } | null>(null);

/** Put on a mark. The same words are the mark's accessible name, so the tip itself is hidden from screen readers. */
export function tipped(text: string): Record<string, (e: Event) => void> {
  const show = (e: Event): void => {
    tip.value = { text, box: (e.currentTarget as Element).getBoundingClientRect() };
  };
  const hide = (): void => {
    tip.value = null;
  };
  return { onPointerEnter: show, onPointerLeave: hide, onFocus: show, onBlur: hide };
}

export function Tip() {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const gone = (e: Event): void => {
      if (e.type !== 'keydown' || (e as KeyboardEvent).key === 'Escape') tip.value = null;
    };
    addEventListener('scroll', gone, { passive: true, capture: true });
    addEventListener('keydown', gone);
    return () => {
      removeEventListener('scroll', gone, { capture: true });
      removeEventListener('keydown', gone);
    };
  }, []);
  const now = tip.value;
  useEffect(() => {
    const el = ref.current;
    if (!el || !now) return;
    const { width, height } = el.getBoundingClientRect();
    const x = Math.min(Math.max(8, now.box.left + now.box.width / 2 - width / 2), innerWidth - width - 8);
    const above = now.box.top - height - 8;
    el.style.transform = `translate(${Math.round(x)}px, ${Math.round(above > 0 ? above : now.box.bottom + 8)}px)`;
  }, [now]);
  return now ? <div class="tip" ref={ref} aria-hidden="true">{now.text}</div> : null;
}
