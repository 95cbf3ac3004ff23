/** Light or dark, as the system says until somebody chooses. */
import { signal } from '@preact/signals';

export type Scheme = 'light' | 'dark';

const dark = matchMedia('(prefers-color-scheme: dark)');
const system = (): Scheme => (dark.matches ? 'dark' : 'light');

export const theme = signal<Scheme>(system());
dark.addEventListener('change', () => setTheme(system()));

export function setTheme(scheme: Scheme): void {
  document.documentElement.style.colorScheme = scheme;
  document.documentElement.dataset.theme = scheme;
  theme.value = scheme;
}
