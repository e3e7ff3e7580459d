/** Light, dark, or as the system has it. */

const KEY = 'kanc-theme';

/** Storage may be switched off; the choice then lasts as long as the page. */
const remembered = (): string => {
  try {
    return localStorage.getItem(KEY) ?? 'auto';
  } catch {
    return 'auto';
  }
};

const remember = (theme: string): void => {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // See above.
  }
};

export const startTheme = (): void => {
  const buttons = [...document.querySelectorAll<HTMLButtonElement>('button[data-theme]')];
  const set = (theme: string): void => {
    if (theme === 'auto') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
    for (const button of buttons) {
      button.setAttribute('aria-pressed', String(button.dataset['theme'] === theme));
    }
  };
  for (const button of buttons) {
    button.addEventListener('click', () => {
      const theme = button.dataset['theme'] ?? 'auto';
      set(theme);
      remember(theme);
    });
  }
  set(remembered());
};
