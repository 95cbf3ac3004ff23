/** Panels whose code is fetched when they are first shown. */
import { signal } from '@preact/signals';
import type { ComponentType, JSX } from 'preact';
import { useEffect } from 'preact/hooks';

export function lazy(load: () => Promise<ComponentType>): (props: { shown: boolean }) => JSX.Element {
  const loaded = signal<ComponentType | null>(null);
  const failed = signal<string | null>(null);
  let asked = false;
  return ({ shown }) => {
    useEffect(() => {
      if (!shown || asked) return;
      asked = true;
      load().then(
        (panel) => {
          loaded.value = panel;
        },
        (error: unknown) => {
          asked = false;
          failed.value = String(error);
        },
      );
    }, [shown]);
    const Panel = loaded.value;
    if (Panel !== null) return <Panel />;
    return <p role="status">{failed.value ?? 'Loading …'}</p>;
  };
}
