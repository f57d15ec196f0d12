import { effect, signal } from '@preact/signals';
import { readPreference, writePreference } from '../runtime/browser.ts';

export const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

const kept = readPreference('theme');
export const theme = signal<Theme>(themes.find((one) => one === kept) ?? 'system');

export function applyTheme(): void {
  effect(() => {
    document.documentElement.dataset.theme = theme.value;
    writePreference('theme', theme.value);
  });
}
