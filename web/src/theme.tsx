// Light, dark, or as the device says. Kept on this device only.
import { useState } from 'preact/hooks';
import { t } from './i18n';

type Theme = 'auto' | 'light' | 'dark';
const KEY = 'suha:theme';

function stored(): Theme {
  try {
    const found = localStorage.getItem(KEY);
    return found === 'light' || found === 'dark' ? found : 'auto';
  } catch {
    return 'auto';
  }
}

export function applyTheme(theme: Theme = stored()): void {
  if (theme === 'auto') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
}

export function ThemeToggle() {
  const [theme, setTheme] = useState(stored);
  const words: Record<Theme, string> = { auto: t('Colours: as your device'), light: t('Colours: light'), dark: t('Colours: dark') };
  const next: Record<Theme, Theme> = { auto: 'dark', dark: 'light', light: 'auto' };
  const change = (): void => {
    const to = next[theme];
    try {
      if (to === 'auto') localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, to);
    } catch {
      // A browser that keeps nothing still changes this page.
    }
    applyTheme(to);
    setTheme(to);
  };
  return (
    <button type="button" class="theme" onClick={change} aria-label={words[theme]} title={words[theme]}>
      <svg viewBox="0 0 20 20" aria-hidden="true" focusable="false">
        <circle cx="10" cy="10" r="7" fill="none" stroke="currentColor" stroke-width="1.5" />
        <path d={theme === 'light' ? '' : theme === 'dark' ? 'M10 3a7 7 0 0 1 0 14a7 7 0 0 1 0-14' : 'M10 3a7 7 0 0 1 0 14z'} fill="currentColor" />
      </svg>
    </button>
  );
}
