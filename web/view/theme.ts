/** Light and dark: what the system prefers, until somebody chooses. */

export type Theme = 'light' | 'dark';

const KEY = 'kanc-view-theme';

/** Storage may be forbidden to pages of files. */
const remembered = (): string | null => {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
};

const remember = (theme: Theme): void => {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Then it is chosen again next time.
  }
};

const preferred = (): Theme => (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');

export const currentTheme = (): Theme =>
  document.documentElement.dataset['theme'] === 'dark' ? 'dark' : 'light';

/** Sets the theme and calls back at every change, for what is drawn and not styled. */
export const startTheme = (onChange: () => void): { readonly toggle: () => void } => {
  const apply = (theme: Theme): void => {
    document.documentElement.dataset['theme'] = theme;
    onChange();
  };
  const chosen = remembered();
  document.documentElement.dataset['theme'] = chosen === 'dark' || chosen === 'light' ? chosen : preferred();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    if (remembered() === null) apply(preferred());
  });
  return {
    toggle: () => {
      const theme = currentTheme() === 'dark' ? 'light' : 'dark';
      remember(theme);
      apply(theme);
    },
  };
};
