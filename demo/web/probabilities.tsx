/** Class probabilities as bars. */
import type { JSX } from 'preact';
import { classes } from './state.ts';

export function Probabilities({ values, truth }: { values: readonly number[]; truth?: number }): JSX.Element {
  const largest = Math.max(...values);
  const best = largest > 0 ? values.indexOf(largest) : null;
  return (
    <ol class="bars" aria-label="probabilities">
      {values.map((p, i) => (
        <li key={i} class={i === best ? 'best' : undefined}>
          <span class="name">
            {classes.value[i]}
            {i === truth ? ' ✓' : ''}
          </span>
          <span class="bar" style={{ '--part': String(p) }} />
          <span class="value">{(100 * p).toFixed(1)} %</span>
        </li>
      ))}
    </ol>
  );
}
