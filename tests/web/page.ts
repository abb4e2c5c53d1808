// What the modules under test ask of a browser when they start.
const nothing = (): void => undefined;
Object.assign(globalThis, {
  document: { documentElement: { lang: 'en', dir: 'ltr', dataset: {} }, createElement: () => ({}) },
  location: { pathname: '/r/x/explore', search: '?lang=en&where=old:1', origin: 'http://localhost', href: 'http://localhost/r/x/explore' },
  matchMedia: () => ({ matches: false, addEventListener: nothing, removeEventListener: nothing }),
});
export {};
