// Registers the service worker and tells it what this page has loaded, so that the first visit already works without a network.

export function keepForLater(): void {
  if (!('serviceWorker' in navigator)) return;
  const tell = (worker: ServiceWorker | null): void => {
    const loaded = performance.getEntriesByType('resource').map(entry => entry.name).filter(name => name.startsWith(`${location.origin}/api/`));
    worker?.postMessage({ keep: [location.href, ...loaded] });
  };
  const register = async (): Promise<void> => {
    try {
      await navigator.serviceWorker.register('/sw.js');
      const ready = await navigator.serviceWorker.ready;
      // Let the first answers arrive before telling which they were.
      setTimeout(() => tell(ready.active), 1500);
    } catch {
      // Not allowed here (no TLS, private window): the site works, only not offline.
    }
  };
  if (document.readyState === 'complete') void register();
  else addEventListener('load', () => void register());
}
