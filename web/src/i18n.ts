// Words, numbers and dates in the page's language. Messages are English sentences; tools/po.py finds them here as t('...').

declare const MESSAGES: Record<string, string>; // language -> address, put in by web/build.py

export const lang = document.documentElement.lang.slice(0, 2) || 'en';
export const rtl = document.documentElement.dir === 'rtl';
// Western digits in Arabic, as the United Nations' documents in Arabic have them and as the server's pages print them.
const locale = lang === 'ar' ? 'ar-u-nu-latn' : lang;

let words: Record<string, string> = {};

export async function loadWords(): Promise<void> {
  const address = MESSAGES[lang];
  if (!address) return;
  try {
    const answer = await fetch(address);
    if (answer.ok) words = await answer.json();
  } catch {
    // Without the catalogue the page speaks English.
  }
}

/** The message in the page's language; each {name} becomes its put, kept apart from the text around it where that runs right to left. */
export function t(english: string, puts: Record<string, string> = {}): string {
  return (words[english] ?? english).replace(/\{(\w+)\}/g, (whole, name: string) => {
    const put = puts[name];
    return put === undefined ? whole : rtl ? `\u2068${put}\u2069` : put;
  });
}

const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
const percentWhole = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 });
const percentTenth = new Intl.NumberFormat(locale, { style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 });
const compact = new Intl.NumberFormat(locale, { notation: 'compact', maximumSignificantDigits: 3 });
const moment = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });
const collator = new Intl.Collator(locale);

export const count = (n: number): string => whole.format(n);
export const short = (n: number): string => compact.format(n);
export const percent = (p: number): string => (p >= 10 ? percentWhole : percentTenth).format(p / 100);
export const when = (date: Date): string => moment.format(date);
export const byLabel = (a: string, b: string): number => collator.compare(a, b);
