/** The page: a head with the machine's facts, and a panel for each thing there is to do. */
import { signal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { DrawPanel } from './draw/drawPanel.tsx';
import { lazy } from './lazy.tsx';
import { machine, problem } from './state.ts';
import { TrainPanel } from './train/trainPanel.tsx';

interface Tab {
  readonly id: string;
  readonly title: string;
  readonly panel: (props: { shown: boolean }) => JSX.Element;
}

const TABS: readonly Tab[] = [
  { id: 'train', title: 'Train', panel: TrainPanel },
  { id: 'draw', title: 'Draw', panel: DrawPanel },
  {
    id: 'inside',
    title: 'Look inside',
    panel: lazy(async () => (await import('./graph/graphPanel.tsx')).GraphPanel),
  },
  {
    id: 'bench',
    title: 'Benchmarks',
    panel: lazy(async () => (await import('./bench/benchPanel.tsx')).BenchPanel),
  },
];

const fromAddress = (): string => TABS.find(({ id }) => `#${id}` === location.hash)?.id ?? TABS[0].id;

/** The panel that is shown; the address keeps it over a reload. */
export const current = signal(fromAddress());
addEventListener('hashchange', () => {
  current.value = fromAddress();
  problem.value = null;
});

function TabList(): JSX.Element {
  const list = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent): void => {
    const at = TABS.findIndex(({ id }) => id === current.value);
    const steps: Record<string, number> = {
      ArrowRight: at + 1,
      ArrowLeft: at - 1,
      Home: 0,
      End: TABS.length - 1,
    };
    const next = steps[event.key];
    if (next === undefined) return;
    event.preventDefault();
    const { id } = TABS[(next + TABS.length) % TABS.length];
    location.hash = id;
    current.value = id;
    list.current?.querySelector<HTMLElement>(`#tab-${id}`)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label="Parts of the page" ref={list} onKeyDown={move}>
      {TABS.map(({ id, title }) => (
        <a
          key={id}
          id={`tab-${id}`}
          role="tab"
          href={`#${id}`}
          aria-selected={current.value === id}
          aria-controls={`panel-${id}`}
          tabIndex={current.value === id ? 0 : -1}
          data-title={title}
        >
          {title}
        </a>
      ))}
    </div>
  );
}

/** Panels stay alive when they are hidden: drawings and curves are still there on return. */
function Panel({ id, children }: { id: string; children: ComponentChildren }): JSX.Element {
  return (
    <section id={`panel-${id}`} role="tabpanel" aria-labelledby={`tab-${id}`} hidden={current.value !== id}>
      {children}
    </section>
  );
}

function MachineLine(): JSX.Element {
  const found = machine.value;
  if (found === null) return <p class="machine">Starting …</p>;
  const { threads, relaxedSimd, reasons } = found;
  return (
    <details class="machine">
      <summary>
        WebAssembly, {threads === 1 ? 'one thread' : `${threads} threads`},{' '}
        {relaxedSimd ? 'relaxed SIMD' : 'SIMD'}
      </summary>
      {reasons.length === 0 ? (
        <p>Everything that this browser offers is in use.</p>
      ) : (
        <ul>
          {reasons.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      )}
    </details>
  );
}

function Problem(): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const text = problem.value;
  useEffect(() => {
    if (text) box.current?.scrollIntoView({ block: 'nearest' });
  }, [text]);
  return (
    <div class="problem" role="alert" ref={box} hidden={text === null}>
      <p>{text}</p>
      <button
        type="button"
        onClick={() => {
          problem.value = null;
        }}
      >
        Close
      </button>
    </div>
  );
}

export function App(): JSX.Element {
  return (
    <>
      <header>
        <h1>
          <img src="icon.svg" alt="" width="28" height="28" /> wasmgrad
        </h1>
        <p class="tagline">PyTorch’s everyday library, in a web page</p>
        <MachineLine />
        <TabList />
      </header>
      <main>
        <Problem />
        {TABS.map(({ id, panel: Content }) => (
          <Panel key={id} id={id}>
            <Content shown={current.value === id} />
          </Panel>
        ))}
      </main>
      <footer>
        <p>Everything on this page is computed in your browser; nothing leaves it.</p>
        <p>
          In a page of yours: <code>npm install wasmgrad</code>
        </p>
      </footer>
    </>
  );
}
