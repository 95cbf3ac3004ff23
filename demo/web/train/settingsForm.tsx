/** The hyper-parameters, each within limits that make sense. */
import type { JSX, TargetedEvent } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { DatasetName, NetworkName, Settings } from '../protocol.ts';
import { busy, loadDataset, loaded, machine, settings } from '../state.ts';

interface NumberField {
  readonly key: 'epochs' | 'batchSize' | 'learningRate' | 'hidden' | 'seed';
  readonly label: string;
  readonly min: number;
  readonly max: number;
  readonly step: number | 'any';
}

const NUMBERS: readonly NumberField[] = [
  { key: 'epochs', label: 'Epochs', min: 1, max: 100, step: 1 },
  { key: 'batchSize', label: 'Batch size', min: 1, max: 1024, step: 1 },
  { key: 'learningRate', label: 'Learning rate', min: 0.0001, max: 2, step: 'any' },
  { key: 'hidden', label: 'Hidden neurons', min: 1, max: 2048, step: 1 },
  { key: 'seed', label: 'Seed', min: 0, max: 2 ** 31, step: 1 },
];

const change = (part: Partial<Settings>): void => {
  settings.value = { ...settings.value, ...part };
};

/**
 * The field is the user's: what is typed stays as it is. A number within the limits is taken over at once; that one is
 * not is said when the field is left, or confirmed, since numbers on their way are often none.
 */
function NumberInput({ field }: { field: NumberField }): JSX.Element {
  const { key, label, min, max, step } = field;
  const value = settings.value[key];
  const input = useRef<HTMLInputElement>(null);
  const [error, setError] = useState<string | null>(null);
  const judge = (element: HTMLInputElement): boolean => {
    const typed = element.valueAsNumber;
    const fits = typed >= min && typed <= max && (step === 'any' || Number.isInteger(typed));
    element.setCustomValidity(fits ? '' : 'outside the limits');
    if (fits) setError(null);
    return fits;
  };
  const take = ({ currentTarget }: TargetedEvent<HTMLInputElement>): void => {
    if (judge(currentTarget)) change({ [key]: currentTarget.valueAsNumber });
  };
  const tell = ({ currentTarget }: TargetedEvent<HTMLInputElement>): void => {
    const kind = step === 'any' ? 'A number' : 'A whole number';
    if (!judge(currentTarget)) setError(`${kind} from ${min} to ${max}`);
  };
  // Only a value from elsewhere is written into it: the number of neurons that a network begins with.
  useLayoutEffect(() => {
    if (input.current === null || input.current.valueAsNumber === value) return;
    input.current.valueAsNumber = value;
    judge(input.current);
  }, [value]);
  return (
    <label>
      {label}
      <input
        type="number"
        name={key}
        min={min}
        max={max}
        step={step}
        ref={input}
        disabled={busy.value}
        onInput={take}
        onChange={tell}
        aria-invalid={error !== null}
        aria-describedby={error === null ? undefined : `${key}-error`}
      />
      {error !== null && (
        <small id={`${key}-error`} class="error">
          {error}
        </small>
      )}
    </label>
  );
}

/** How the four files are called, and what tells them among others. */
const FILES: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['train-images', /train.*images/],
  ['train-labels', /train.*labels/],
  ['t10k-images', /(t10k|test).*images/],
  ['t10k-labels', /(t10k|test).*labels/],
];

/** Fashion-MNIST is not shipped with the page: its four files come from the user's disk. */
function FashionFiles(): JSX.Element {
  const [missing, setMissing] = useState<string | null>(null);
  const count = loaded.value.fashion?.count;
  const take = (event: TargetedEvent<HTMLInputElement>): void => {
    const chosen = Array.from(event.currentTarget.files ?? []);
    const found = FILES.map(([, pattern]) => chosen.find(({ name }) => pattern.test(name)));
    const [trainImages, trainLabels, testImages, testLabels] = found;
    if (!trainImages || !trainLabels || !testImages || !testLabels) {
      const absent = FILES.flatMap(([name], i) => (found[i] === undefined ? [name] : []));
      setMissing(`Not among the chosen files: ${absent.join(', ')}.`);
      return;
    }
    setMissing(null);
    loadDataset('fashion', { trainImages, trainLabels, testImages, testLabels });
  };
  return (
    <div class="wide">
      <label>
        The four files of Fashion-MNIST, chosen together (train-images…, train-labels…, t10k-images…,
        t10k-labels…; plain or .gz)
        <input type="file" multiple onChange={take} disabled={busy.value} />
        {missing !== null && <small class="error">{missing}</small>}
        {missing === null && count !== undefined && (
          <small>{count.toLocaleString('en')} pictures for training are there.</small>
        )}
      </label>
      {count === undefined && (
        <p class="hint">
          They are in the folder <code>data/fashion</code> of{' '}
          <a href="https://github.com/zalandoresearch/fashion-mnist" rel="noreferrer" target="_blank">
            github.com/zalandoresearch/fashion-mnist
          </a>{' '}
          (31 MB); this page itself asks no other server for anything.
        </p>
      )}
    </div>
  );
}

export function SettingsForm(): JSX.Element {
  const { dataset, network, device } = settings.value;
  const devices = machine.value?.devices ?? ['cpu'];
  return (
    <div class="settings">
      <label>
        Data
        <select
          value={dataset}
          disabled={busy.value}
          onChange={(event) => {
            const name = event.currentTarget.value as DatasetName;
            change({ dataset: name });
            if (name === 'mnist') loadDataset(name);
          }}
        >
          <option value="mnist">MNIST (digits)</option>
          <option value="fashion">Fashion-MNIST (clothes)</option>
        </select>
      </label>
      <label>
        Network
        <select
          value={network}
          disabled={busy.value}
          onChange={(event) => {
            const name = event.currentTarget.value as NetworkName;
            change({ network: name, hidden: name === 'mlp' ? 500 : 64 });
          }}
        >
          <option value="mlp">Fully connected</option>
          <option value="cnn">Convolutional</option>
        </select>
      </label>
      <label>
        Device
        <select
          value={device}
          disabled={busy.value}
          onChange={(event) => change({ device: event.currentTarget.value })}
        >
          {devices.map((name) => (
            <option key={name} value={name}>
              {name === 'cpu' ? 'WebAssembly' : 'WebGPU'}
            </option>
          ))}
        </select>
      </label>
      {NUMBERS.map((field) => (
        <NumberInput key={field.key} field={field} />
      ))}
      {dataset === 'fashion' && <FashionFiles />}
    </div>
  );
}
