/** PyTorch's answers about distributions (test/fixtures/distributions), and the distributions that they are about. */
import { camelCase } from '../../src/core/pythonText.ts';
import * as torch from '../../src/index.ts';
import { distributions as D, type Tensor } from '../../src/index.ts';

export interface Described {
  dtype: torch.DType;
  shape: number[];
  data: (number | string | boolean)[];
}
export interface Spec {
  type: string;
  args: Record<string, Spec | Described | number>;
}
export interface Answer {
  value: Described | null;
  result: Described;
  grads: (Described | null)[];
}
export interface Drawn {
  shape: number[];
  result: Described;
  after: Described;
  grads?: (Described | null)[];
}
export interface Case {
  spec: Spec;
  repr: string;
  batchShape: number[];
  eventShape: number[];
  hasRsample: boolean;
  hasEnumerateSupport: boolean;
  properties: Record<'mean' | 'mode' | 'variance' | 'stddev', Described | null>;
  sample: Drawn[];
  rsample: Drawn[] | null;
  logProb: Answer[];
  cdf: (Answer | null)[];
  icdf: Answer | null;
  entropy: Answer | null;
  support?: [Described, Described];
  expanded?: { batch: number[]; repr: string; sample: Described; logProb: Described };
}
export interface Expected {
  cases: Case[];
  divergences: { p: Spec; q: Spec; result: Described; grads: (Described | null)[] }[];
  refused: { spec: Spec; value: Described | null; method: string; message: string }[];
  lazy: [string, string];
  variational: number[];
  reinforce: { losses: number[]; rewards: number[] };
}

const files = import.meta.glob<string>('../fixtures/distributions/*.json', {
  query: '?raw',
  import: 'default',
});

/** All of them. */
export const loadExpected = async (): Promise<Expected> =>
  JSON.parse(await files['../fixtures/distributions/expected.json']());

/** What the fixtures hold, made: leaves want gradients, and are collected in the order in which they come. */
function built(value: Spec | Described | number, leaves: Tensor[], device?: string): unknown {
  if (typeof value === 'number') return value;
  if ('type' in value) {
    const args = Object.entries(value.args).map(([name, x]) => [camelCase(name), built(x, leaves, device)]);
    const make: new (options: object) => unknown = Reflect.get(D, value.type);
    return new make(Object.fromEntries(args));
  }
  const { dtype, shape, data } = value;
  const x = torch.tensor(data.map(Number), { dtype, device }).reshape(shape).detach();
  if (x.isFloatingPoint()) leaves.push(x.requiresGrad_());
  return x;
}

export const distribution = (spec: Spec, leaves: Tensor[] = [], device?: string) =>
  built(spec, leaves, device) as D.Distribution;
export const tensor = (value: Described, leaves: Tensor[] = [], device?: string) =>
  built(value, leaves, device) as Tensor;
