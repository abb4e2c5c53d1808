// Finds what the page asks for and brings it to life. The server's own content stays until the first answers are there.
import { render, type ComponentChild } from 'preact';
import { liveCodebook } from './codebook';
import { loadWords } from './i18n';
import { keepForLater } from './offline';
import { followAddress } from './state';
import { applyTheme, ThemeToggle } from './theme';

applyTheme();

/** Renders beside the server's content and changes places with it in one step. */
function mount(place: HTMLElement, content: (ready: (drawn?: boolean) => void) => ComponentChild): void {
  const live = document.createElement('div');
  live.hidden = true;
  const before = [...place.childNodes];
  place.append(live);
  let done = false;
  render(content((drawn = true) => {
    if (done) return;
    done = true;
    if (!drawn) return live.remove();
    before.forEach(node => node.remove());
    live.hidden = false;
    place.dataset['live'] = '';
  }), live);
}

const parts: Record<string, () => Promise<unknown>> = {
  explore: () => import('./explore'), combinations: () => import('./combinations'), chart: () => import('./story'),
};

async function start(): Promise<void> {
  const places = [...document.querySelectorAll<HTMLElement>('[data-app]')];
  // What the page needs is fetched beside the words, not after them.
  for (const place of places) void parts[place.dataset['app'] ?? '']?.().catch(() => undefined);
  await loadWords();
  document.querySelectorAll<HTMLElement>('[data-theme-toggle]').forEach(place => render(<ThemeToggle />, place));
  for (const place of places) {
    const id = place.dataset['release'] ?? '';
    if (place.dataset['app'] === 'explore') {
      followAddress();
      const { Explore } = await import('./explore');
      mount(place, ready => <Explore id={id} onReady={ready} />);
    } else if (place.dataset['app'] === 'combinations') {
      const { Combinations } = await import('./combinations');
      mount(place, ready => <Combinations id={id} onReady={ready} />);
    } else if (place.dataset['app'] === 'chart') {
      const { StoryChart } = await import('./story');
      mount(place, ready => <StoryChart id={id} place={place.dataset} onReady={ready} />);
    } else if (place.dataset['app'] === 'codebook') liveCodebook(place);
  }
  keepForLater();
}

void start();
