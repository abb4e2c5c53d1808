// A chart as a file of its own: SVG drawn from the numbers, or the SVG on the page with its colours written into it; PNG through a canvas.
// Loaded when somebody asks for one.
import type { Cell } from './api';
import { rtl } from './i18n';
import type { Picture } from './frame';
import { labelOf, reach, span, value } from './marks';

const WIDTH = 960;
const EDGE = 40;
const INK = '#1a2036';
const QUIET = '#565d75';
const MARK = '#4c5bc4';
const FONT = 'font-family="system-ui, Noto Sans, Noto Sans Arabic, DejaVu Sans, sans-serif"';

const xml = (text: string): string => text.replace(/[&<>"]/g, c => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? c);

/** Words broken into lines of about so many letters. */
function lines(text: string, letters: number): string[] {
  const out: string[] = [''];
  for (const word of text.split(/\s+/)) {
    const last = out[out.length - 1] as string;
    if (last && last.length + word.length + 1 > letters) out.push(word);
    else out[out.length - 1] = last ? `${last} ${word}` : word;
  }
  return out;
}

/** x counts from where reading begins. */
const side = (x: number, width = 0): number => (rtl ? WIDTH - x - width : x);
const write = (x: number, y: number, text: string, size: number, fill = INK, extra = ''): string =>
  `<text x="${side(x)}" y="${y}" font-size="${size}" fill="${fill}" ${rtl ? 'direction="rtl"' : ''} ${extra}>${xml(text)}</text>`;

const HATCH =
  '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" fill="#fff"/>' +
  `<path d="M0 0v6" stroke="${MARK}" stroke-width="3"/></pattern><pattern id="none" width="6" height="6" patternUnits="userSpaceOnUse" ` +
  'patternTransform="rotate(45)"><path d="M0 0v6" stroke="#b9bdcc" stroke-width="1.5"/></pattern></defs>';

const look: Record<Cell['state'], string> = {
  ok: `fill="${MARK}"`,
  uncertain: `fill="url(#hatch)" stroke="${MARK}"`,
  estimated: `fill="#fff" stroke="${MARK}" stroke-dasharray="4 2"`,
  suppressed: 'fill="url(#none)" stroke="#b9bdcc" stroke-dasharray="3 3"',
  absent: 'fill="none" stroke="#b9bdcc" stroke-dasharray="1 3"',
};

function whisker(c: Cell, x: (n: number) => number, y: number, top: number): string {
  if (c.low === null) return '';
  const [a, b] = [x(c.low), x(c.high ?? top)];
  return `<path d="M${a} ${y}H${b}M${a} ${y - 4}v8${c.high === null ? '' : `M${b} ${y - 4}v8`}" stroke="${INK}" stroke-width="1.5" fill="none"/>`;
}

function whole(title: string, notes: readonly string[], body: string, height: number): string {
  const heading = lines(title, 52);
  const foot = [...notes, `${document.title} · ${location.host}${location.pathname}${location.search}`].flatMap(n => lines(n, 120));
  const start = EDGE + heading.length * 30 + 10;
  const total = start + height + 24 + foot.length * 19 + EDGE / 2;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${total}" width="${WIDTH}" height="${total}" ${FONT}>${HATCH}` +
    `<rect width="${WIDTH}" height="${total}" fill="#ffffff"/>` +
    heading.map((l, i) => write(EDGE, EDGE + 14 + i * 30, l, 24, INK, 'font-weight="700"')).join('') +
    `<g transform="translate(0 ${start})">${body}</g>` +
    foot.map((l, i) => write(EDGE, start + height + 30 + i * 19, l, 13, QUIET)).join('') +
    '</svg>'
  );
}

/** Every cell with a number, and the few without, as labelled bars with whiskers. */
export function barsPicture({ title, kind, table, notes }: Picture): string {
  const few = table.cells.length <= 40;
  const ranked = few ? table.cells : [...table.cells].sort((a, b) => (b.count ?? -1) - (a.count ?? -1)).slice(0, 40);
  const cells = kind === 'columns' ? span(ranked) : ranked;
  const top = reach(cells);
  const row = kind === 'columns' ? 22 : 30;
  const [left, right] = [kind === 'columns' ? 120 : 340, 130];
  const room = WIDTH - EDGE - left - right;
  const body = cells.map((c, i) => {
    const y = i * row;
    const x = (n: number): number => side(left + (n / top) * room);
    const length = c.count === null ? room : Math.max(1, (c.count / top) * room);
    const label = lines(labelOf(c), 42)[0] ?? '';
    return (
      write(EDGE, y + row * 0.66, label === labelOf(c) ? label : `${label}…`, 15) +
      `<rect x="${side(left, length)}" y="${y + 4}" width="${length.toFixed(1)}" height="${row - 8}" ${look[c.state]}/>` +
      whisker(c, x, y + row / 2, top) +
      write(WIDTH - right + 14, y + row * 0.66, value(c), 14, c.count === null ? QUIET : INK)
    );
  });
  return whole(title, notes, body.join(''), cells.length * row);
}

const PAINT = ['fill', 'fill-opacity', 'stroke', 'stroke-width', 'stroke-opacity', 'stroke-dasharray', 'opacity', 'font-size', 'font-weight', 'text-anchor'];

/** The key beside a map, in lines. */
function keyOf(list: Element | null): { body: string; height: number } {
  let [x, y, body] = [EDGE, 0, ''];
  for (const item of list?.querySelectorAll('li') ?? []) {
    const words = item.textContent?.trim() ?? '';
    const swatch = item.querySelector('.swatch');
    const width = 34 + words.length * 8;
    if (x + width > WIDTH - EDGE) [x, y] = [EDGE, y + 26];
    const fill = swatch?.classList.contains('uncertain') ? 'url(#hatch)' : swatch?.classList.contains('none') ? 'url(#none)'
      : swatch ? getComputedStyle(swatch).backgroundColor : 'none';
    body += `<rect x="${side(x, 16)}" y="${y + 14}" width="16" height="16" fill="${fill}" stroke="#b9bdcc"/>${write(x + 23, y + 27, words, 13, QUIET)}`;
    x += width + 10;
  }
  return { body, height: body ? y + 36 : 0 };
}

/** An SVG that stands on the page, with what the style sheet says about it written into it. */
export function pagePicture(svg: SVGSVGElement, title: string, notes: readonly string[], list: Element | null = null): string {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const [from, to] = [[svg, ...svg.querySelectorAll('*')], [copy, ...copy.querySelectorAll('*')]];
  from.forEach((element, i) => {
    const style = getComputedStyle(element);
    const target = to[i] as Element;
    PAINT.forEach(name => {
      const has = style.getPropertyValue(name);
      if (has) target.setAttribute(name, has);
    });
    ['class', 'tabindex', 'role', 'data-mark', 'data-code', 'aria-label', 'aria-pressed', 'style'].forEach(name => target.removeAttribute(name));
  });
  const box = svg.viewBox.baseVal;
  const scale = (WIDTH - 2 * EDGE) / box.width;
  const paper = getComputedStyle(svg).getPropertyValue('--card').trim() || '#ffffff';
  const inner = new XMLSerializer().serializeToString(copy).replace(/^<svg[^>]*>/, '').replace(/<\/svg>$/, '');
  const key = keyOf(list);
  const body = `<g transform="translate(${EDGE} 0) scale(${scale})"><rect width="${box.width}" height="${box.height}" fill="${paper}"/>${inner}</g>` +
    `<g transform="translate(0 ${box.height * scale})">${key.body}</g>`;
  return whole(title, notes, body, box.height * scale + key.height);
}

async function png(svg: string): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`; // blob: is not among the sources that the page allows
  await image.decode();
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [image.width * 2, image.height * 2];
  const context = canvas.getContext('2d');
  if (!context) throw new Error('no canvas');
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => canvas.toBlob(b => (b ? resolve(b) : reject(new Error('no picture'))), 'image/png'));
}

export async function download(svg: string, kind: 'svg' | 'png', title: string): Promise<void> {
  if (!svg) throw new Error('nothing to draw');
  const blob = kind === 'png' ? await png(svg) : new Blob([svg], { type: 'image/svg+xml' });
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = `${title.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-|-$/g, '') || 'chart'}.${kind}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
