/** The recorded graph of an expression, and its backward pass, one node at a time. */
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { Tensor } from 'wasmgrad';
import * as torch from 'wasmgrad';
import { theme } from '../theme.ts';
import { functionNames, parse, parseValue } from './expression.ts';

/** Expressions to begin with, and values that suit them. */
const EXAMPLES: readonly (readonly [text: string, values: Readonly<Record<string, string>>])[] = [
  ['sigmoid(w * x + b)', { w: '0.5', x: '2', b: '-1' }],
  ['sum(sin(a) + cos(b))', { a: '1, 2, 3', b: '4, 5, 6' }],
  ['(x @ y)^2 / 2', { x: '1, 2', y: '3, -1' }],
  ['relu(x) * exp(-x^2)', { x: '0.5' }],
];

interface Walk {
  readonly value: Tensor;
  readonly leaves: readonly (readonly [string, Tensor])[];
  readonly graph: torch.RecordedGraph;
  readonly steps: readonly torch.BackwardStep[];
  /** Said of results that are not numbers. */
  readonly note: string | null;
}

/** Computes the expression and its whole backward pass; the page then shows the pass as far as the user went. */
function walk(text: string, values: ReadonlyMap<string, string>): Walk {
  const { compute } = parse(text);
  const leaves = [...values].map(([name, typed]) => [name, parseValue(typed).requiresGrad_()] as const);
  const result = compute(new Map(leaves));
  const scalar = result.numel() === 1;
  const root = scalar ? result : result.sum();
  if (!root.requiresGrad) throw new SyntaxError('the expression holds no names: nothing to derive by');
  const names = Object.fromEntries([...leaves, ['result', root] as const]);
  const graph = torch.graph(root, { names });
  return {
    value: root,
    leaves,
    graph,
    steps: [...torch.backwardSteps(root, { names })],
    note: scalar ? null : `The result has the shape [${result.shape.join(', ')}]; its sum is derived.`,
  };
}

const numbers = (x: Tensor | null): string =>
  x === null
    ? '0'
    : Array.from(x.data as ArrayLike<number | bigint>, (v) => Number(Number(v).toPrecision(4))).join(', ');

function Step({ step, graph }: { step: torch.BackwardStep; graph: torch.RecordedGraph }): JSX.Element {
  const nameOf = (id: number): string => {
    const node = graph.nodes.find((one) => one.id === id);
    return node?.label ?? node?.name ?? '';
  };
  const { node, incoming, outgoing, grad } = step;
  return (
    <div class="step">
      <p>
        <strong>{node.label ?? node.name}</strong> gets the gradient{' '}
        <code>{incoming.map(numbers).join('; ')}</code>
        {outgoing.length > 0 && ' and sends'}
        {grad !== null && (
          <>
            {' '}
            into <code>{node.label}.grad</code>
          </>
        )}
      </p>
      <ul>
        {outgoing.map(({ to, input, gradient }) => (
          <li key={`${to}-${input}`}>
            <code>{numbers(gradient)}</code> to {nameOf(to)}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Gradients({ shown, at }: { shown: Walk; at: number }): JSX.Element {
  const arrived = new Map(shown.steps.slice(0, at).map((step) => [step.node.label, step.grad]));
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Value</th>
          <th scope="col">Gradient</th>
        </tr>
      </thead>
      <tbody>
        {shown.leaves.map(([name, leaf]) => (
          <tr key={name}>
            <td>{name}</td>
            <td>{numbers(leaf)}</td>
            <td data-testid={`grad-${name}`}>
              {arrived.has(name) ? numbers(arrived.get(name) ?? null) : '–'}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Pass({ shown }: { shown: Walk }): JSX.Element {
  const [at, setAt] = useState(0);
  const last = at > 0 ? shown.steps[at - 1] : null;
  const scheme = theme.value;
  const svg = useMemo(
    () => shown.graph.toSVG({ theme: scheme, ...(last && { highlight: last.node.id }) }),
    [shown, last, scheme],
  );
  const total = shown.steps.length;
  return (
    <>
      <p role="status">
        Result: <code data-testid="result">{numbers(shown.value)}</code>. Backward pass: {at} of {total}{' '}
        steps.
      </p>
      {shown.note !== null && <p>{shown.note}</p>}
      <div class="controls">
        <button type="button" onClick={() => setAt(0)} disabled={at === 0}>
          To the start
        </button>
        <button type="button" onClick={() => setAt(at - 1)} disabled={at === 0}>
          Back
        </button>
        <button type="button" class="primary" onClick={() => setAt(at + 1)} disabled={at === total}>
          Step
        </button>
        <button type="button" onClick={() => setAt(total)} disabled={at === total}>
          To the end
        </button>
      </div>
      <div class="inside">
        <div class="plot card" dangerouslySetInnerHTML={{ __html: svg }} />
        <div class="card">
          {last === null ? (
            <p>The gradient of the result by itself is 1. Step on to see where it goes.</p>
          ) : (
            <Step step={last} graph={shown.graph} />
          )}
          <Gradients shown={shown} at={at} />
        </div>
      </div>
    </>
  );
}

/** The names of an expression, and what is wrong with it if something is. */
function namesIn(text: string): { names: readonly string[]; error: string | null } {
  try {
    return { names: parse(text).names, error: null };
  } catch (error) {
    return { names: [], error: (error as Error).message };
  }
}

interface ExamplesProps {
  readonly choose: (text: string, values: Readonly<Record<string, string>>) => void;
}

function Examples({ choose }: ExamplesProps): JSX.Element {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out in the grid of its siblings
    <div class="wide examples" role="group" aria-label="Examples">
      Examples
      {EXAMPLES.map(([example, values]) => (
        <button key={example} type="button" onClick={() => choose(example, values)}>
          {example}
        </button>
      ))}
    </div>
  );
}

export function GraphPanel(): JSX.Element {
  const [text, setText] = useState(EXAMPLES[0][0]);
  const [typed, setTyped] = useState(EXAMPLES[0][1]);
  const { names, error } = namesIn(text);
  const values = names.map((name) => [name, Object.hasOwn(typed, name) ? typed[name] : '1'] as const);
  const key = `${text}|${values.join('|')}`;
  const shown = useMemo((): Walk | string => {
    if (error !== null) return error;
    try {
      return walk(text, new Map(values));
    } catch (problem) {
      return (problem as Error).message;
    }
  }, [key]);
  return (
    <>
      <h2>Look inside a derivative</h2>
      <p class="lead">
        Type an expression. While it is computed its operations are recorded as a graph, and the backward pass
        walks through that graph from the result to the names.
      </p>
      <div class="settings">
        <label class="wide">
          Expression
          <input
            type="text"
            value={text}
            maxLength={400}
            spellcheck={false}
            autocapitalize="off"
            onInput={(event) => setText(event.currentTarget.value)}
            aria-invalid={typeof shown === 'string'}
            aria-describedby="expression-help"
          />
          <small id="expression-help">
            Numbers, names, + - * / ^ @ (product of vectors), and {functionNames.join(', ')}. Values are
            numbers, or lists such as <span class="together">1, 2, 3.</span>
          </small>
        </label>
        <Examples
          choose={(example, itsValues) => {
            setText(example);
            setTyped({ ...typed, ...itsValues });
          }}
        />
        {values.map(([name, value]) => (
          <label key={name}>
            {name}
            <input
              type="text"
              name={name}
              value={value}
              inputMode="decimal"
              onInput={(event) => setTyped({ ...typed, [name]: event.currentTarget.value })}
            />
          </label>
        ))}
      </div>
      {typeof shown === 'string' ? (
        <p class="error" role="alert">
          {shown}
        </p>
      ) : (
        <Pass key={key} shown={shown} />
      )}
    </>
  );
}
