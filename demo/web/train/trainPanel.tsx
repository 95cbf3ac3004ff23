/** Training: settings, controls, curves, the epochs' table, the confusion matrix and predictions. */
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { plot } from 'wasmgrad/plot';
import { Chart } from '../chart.tsx';
import { Picture } from '../picture.tsx';
import { Probabilities } from '../probabilities.tsx';
import type { Sample } from '../protocol.ts';
import {
  busy,
  classes,
  downloadModel,
  epochs,
  lastStep,
  loaded,
  loading,
  model,
  pause,
  reset,
  resume,
  runState,
  settings,
  start,
  stepAccuracies,
  stepLosses,
  stop,
  uploadModel,
} from '../state.ts';
import { theme } from '../theme.ts';
import { SettingsForm } from './settingsForm.tsx';

const RANGE = [0, 1] as const;
const four = (x: number): string => (Number.isNaN(x) ? '–' : x.toFixed(4));
const percent = (x: number): string => `${(100 * x).toFixed(1)} %`;

/** Whoever works with the keyboard goes on at the main button when the element in focus is gone, or disabled. */
function useFocusKept(): { current: HTMLButtonElement | null } {
  const primary = useRef<HTMLButtonElement>(null);
  const first = useRef(true);
  useEffect(() => {
    if (!first.current && document.activeElement === document.body) primary.current?.focus();
    first.current = false;
  }, [busy.value]);
  return primary;
}

function Controls(): JSX.Element {
  const primary = useFocusKept();
  const state = runState.value;
  // Digits come by themselves: a training that is asked for earlier waits for them.
  const ready = settings.value.dataset === 'mnist' || loaded.value[settings.value.dataset] !== undefined;
  return (
    <div class="controls">
      {busy.value ? (
        <>
          <button type="button" class="primary" onClick={state === 'paused' ? resume : pause} ref={primary}>
            {state === 'paused' ? 'Resume' : 'Pause'}
          </button>
          <button type="button" onClick={stop}>
            Stop
          </button>
        </>
      ) : (
        <button type="submit" class="primary" disabled={!ready} ref={primary}>
          Train
        </button>
      )}
      <button type="button" onClick={reset} disabled={model.value === null}>
        Reset
      </button>
      <button type="button" onClick={downloadModel} disabled={model.value === null}>
        Download model
      </button>
      <label class="button">
        Open model …
        <input
          type="file"
          accept=".safetensors"
          onChange={(event) => {
            const file = event.currentTarget.files?.[0];
            if (file) uploadModel(file);
            event.currentTarget.value = '';
          }}
        />
      </label>
    </div>
  );
}

const WORDS = {
  idle: 'Ready.',
  training: 'Training',
  paused: 'Paused in',
  finished: 'Finished.',
  stopped: 'Stopped.',
  opened: 'The model is open; below is how it does on the test images.',
} as const;

/** What there is to do with a network that stands still. */
function Next(): JSX.Element | null {
  if (busy.value || model.value === null) return null;
  return <a href="#draw">Draw for it</a>;
}

function Status(): JSX.Element {
  const step = lastStep.value;
  const state = runState.value;
  const { dataset } = settings.value;
  const ready = loaded.value[dataset] !== undefined;
  const wanted = dataset === 'fashion' ? 'It needs the four files.' : '';
  const reading = loading.value === dataset ? 'Reading the images …' : wanted;
  const waiting = state === 'idle' && !ready ? reading : WORDS[state];
  if (step === null) {
    return (
      <p role="status">
        {state === 'training' ? (ready ? 'Starting …' : 'Waiting for the images …') : waiting} <Next />
      </p>
    );
  }
  const { epoch, stepsPerEpoch, samplesPerSecond } = step;
  const total = settings.value.epochs;
  const done = (epoch - 1 + step.step / stepsPerEpoch) / total;
  const left = ((1 - done) * total * stepsPerEpoch * settings.value.batchSize) / samplesPerSecond;
  return (
    <>
      <progress value={done} max={1} aria-label="progress of the training" />
      <p role="status" data-testid="status">
        {WORDS[state]} {busy.value && `epoch ${epoch} of ${total}, about ${Math.ceil(left)} s left`} <Next />
      </p>
      <p class="rate">
        <output data-testid="rate">{Math.round(samplesPerSecond).toLocaleString('en')}</output> samples/s
      </p>
    </>
  );
}

function Curves(): JSX.Element | null {
  const results = epochs.value;
  const total = Math.max(settings.value.epochs, results.length);
  // Of a model that was opened there is one result, which is no curve.
  if (results.length === 1 && results[0].epoch === 0) return null;
  return (
    <div class="charts">
      <Chart
        title="Loss"
        xLabel="epoch"
        xEnd={total}
        yLimits={[0, Number.POSITIVE_INFINITY]}
        format={(v) => v.toFixed(2)}
        curves={[
          { name: 'training', colour: '--training', points: stepLosses.value },
          {
            name: 'validation',
            colour: '--validation',
            points: results.map(({ epoch, validationLoss }) => [epoch, validationLoss]),
            dots: true,
          },
        ]}
      />
      <Chart
        title="Accuracy"
        xLabel="epoch"
        xEnd={total}
        yLimits={[0, 1]}
        format={percent}
        curves={[
          { name: 'training', colour: '--training', points: stepAccuracies.value },
          {
            name: 'validation',
            colour: '--validation',
            points: results.map(({ epoch, accuracy }) => [epoch, accuracy]),
            dots: true,
          },
        ]}
      />
    </div>
  );
}

function EpochTable(): JSX.Element {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section class="scrolls" tabIndex={0} aria-label="results of the epochs">
      <table>
        <thead>
          <tr>
            <th scope="col">Epoch</th>
            <th scope="col">Training loss</th>
            <th scope="col">Validation loss</th>
            <th scope="col">Accuracy</th>
            <th scope="col">Time</th>
          </tr>
        </thead>
        <tbody>
          {epochs.value.map((row) => (
            <tr key={row.epoch}>
              <td>{row.epoch === 0 ? 'file' : row.epoch}</td>
              <td>{four(row.trainingLoss)}</td>
              <td>{four(row.validationLoss)}</td>
              <td data-testid="accuracy">{four(row.accuracy)}</td>
              <td>{row.seconds.toFixed(2)} s</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Confusion(): JSX.Element | null {
  const last = epochs.value.at(-1);
  const scheme = theme.value;
  const svg = useMemo(
    () =>
      last &&
      plot.confusionMatrix(last.targets, last.predictions, {
        title: '', // stands above it, as in the card beside it
        labels: [...classes.value],
        theme: scheme,
      }),
    [last, scheme],
  );
  if (!svg) return null;
  // The text is made by the plot module, which escapes what it is given.
  return (
    <section class="card matrix">
      <h3>Confusion matrix</h3>
      <section
        class="plot"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls, on a phone, must be reached by keyboard
        tabIndex={0}
        aria-label="confusion matrix"
        dangerouslySetInnerHTML={{ __html: svg }}
      />
    </section>
  );
}

const bestOf = (probabilities: readonly number[]): number =>
  probabilities.indexOf(Math.max(...probabilities));

interface PredictionProps {
  readonly sample: Sample;
  readonly chosen: boolean;
  readonly choose: () => void;
}

function Prediction({ sample, chosen, choose }: PredictionProps): JSX.Element {
  const { pixels, label, probabilities } = sample;
  const predicted = bestOf(probabilities);
  const names = classes.value;
  return (
    <li class={predicted === label ? 'right' : 'wrong'}>
      <button type="button" aria-pressed={chosen} onClick={choose}>
        <Picture pixels={pixels} size={28} side={56} range={RANGE} label={`a picture of ${names[label]}`} />
        <span>
          {predicted === label ? '✓' : '✗'} {names[predicted]} · {(100 * probabilities[predicted]).toFixed(0)}{' '}
          %
        </span>
        {predicted !== label && <small>is {names[label]}</small>}
      </button>
    </li>
  );
}

function Predictions(): JSX.Element | null {
  const last = epochs.value.at(-1);
  const [chosen, choose] = useState<number | null>(null);
  if (!last || last.samples.length === 0) return null;
  const { samples } = last;
  // Until somebody chooses: the first mistake, which has the most to tell.
  const mistake = samples.findIndex(({ label, probabilities }) => bestOf(probabilities) !== label);
  const at = Math.min(chosen ?? Math.max(0, mistake), samples.length - 1);
  return (
    <section class="card">
      <h3>Some of its answers</h3>
      <ul class="samples">
        {samples.map((sample, i) => (
          <Prediction key={i} sample={sample} chosen={i === at} choose={() => choose(i)} />
        ))}
      </ul>
      <Probabilities values={samples[at].probabilities} truth={samples[at].label} />
    </section>
  );
}

export function TrainPanel(): JSX.Element {
  const known = model.value;
  return (
    <>
      <h2>
        Train a network on {settings.value.dataset === 'mnist' ? 'handwritten digits' : 'pictures of clothes'}
      </h2>
      <p class="lead">
        55,000 pictures train it; 5,000 that it never learns from (“validation”) tell how well it does. All of
        it happens in this browser.
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          start();
        }}
      >
        <SettingsForm />
        <Controls />
      </form>
      <Status />
      <Curves />
      {epochs.value.length > 0 && <EpochTable />}
      <div class="results">
        <Confusion />
        <Predictions />
      </div>
      {known && (
        <details>
          <summary>The network</summary>
          <pre>{known.text}</pre>
        </details>
      )}
    </>
  );
}
