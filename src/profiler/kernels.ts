/** What a call of a backend is called in a profile, which arrays it works on, and how much it computes. */
import { NDArray } from '../backend/array.ts';
import type { Backend, GemmOptions, SoftmaxKind, StepSpec } from '../backend/backend.ts';
import { dtypeInfo } from '../core/dtype.ts';
import { snakeCase } from '../core/pythonText.ts';
import { numElements } from '../core/shape.ts';

type Call = readonly unknown[];
type Naming = string | ((...call: never[]) => string);

const named = (spec: { readonly name: string }): string => spec.name;
const dimensions = (x: NDArray): number => x.shape.length - 2;

/** By method: its name, or how the name follows from the call; null if it is no work. The compiler wants all of them. */
export const KERNELS: Readonly<Record<keyof Backend, Naming | null>> = {
  device: null,
  synchronous: null,
  holds: null,
  memory: null,
  empty: null,
  endOp: null,
  upload: 'upload',
  fromHost: 'upload',
  read: 'read',
  readAsync: 'read',
  require: null,
  hostValues: 'read',
  fill: 'fill',
  assign: (out: NDArray, x: NDArray) => (out.dtype === x.dtype ? 'copy' : 'cast'),
  unary: named,
  binary: named,
  where: 'where',
  reduce: named,
  argReduce: (kind: string) => `arg${kind}`,
  extreme: (kind: string) => `${kind}.dim`,
  scan: (kind: string) => `cum${kind}`,
  scanExtreme: (kind: string) => `cum${kind}`,
  sort: 'sort',
  search: 'searchsorted',
  matmul: (_a: NDArray, _b: NDArray, options?: GemmOptions) => (options?.bias ? 'addmm' : 'matmul'),
  matmulAndSums: 'matmul',
  softmax: (_x: NDArray, kind: SoftmaxKind) => snakeCase(kind),
  softmaxGrad: (_grad: NDArray, _output: NDArray, log: boolean) =>
    log ? 'log_softmax_grad' : 'softmax_grad',
  crossEntropy: 'cross_entropy',
  crossEntropyGrad: 'cross_entropy_grad',
  findBadIndex: 'check_indices',
  findBadTarget: 'check_indices',
  indexSelect: 'index_select',
  gatherScaled: 'gather_scaled',
  indexAdd: 'index_add',
  take: 'take',
  put: 'put',
  nonzero: 'nonzero',
  gather: 'gather',
  scatter: 'scatter',
  convolve: (x: NDArray) => `conv${dimensions(x)}d`,
  convolveInput: (grad: NDArray) => `conv${dimensions(grad)}d_grad_input`,
  convolveWeight: (grad: NDArray) => `conv${dimensions(grad)}d_grad_weight`,
  convolveWeightAndSums: (grad: NDArray) => `conv${dimensions(grad)}d_grad_weight`,
  im2col: 'im2col',
  col2im: 'col2im',
  maxPool: (x: NDArray) => `max_pool${dimensions(x)}d`,
  maxPoolGrad: (grad: NDArray) => `max_pool${dimensions(grad)}d_grad`,
  avgPool: (x: NDArray) => `avg_pool${dimensions(x)}d`,
  avgPoolGrad: (grad: NDArray) => `avg_pool${dimensions(grad)}d_grad`,
  standardize: 'standardize',
  standardizeGrad: 'standardize_grad',
  affineGrads: 'affine_grads',
  lstmCell: 'lstm_cell',
  lstmCellGrad: 'lstm_cell_grad',
  gruCell: 'gru_cell',
  gruCellGrad: 'gru_cell_grad',
  sgdStep: 'sgd_step',
  optimizerStep: (spec: StepSpec) => `${spec.name}_step`,
};

export function kernelName(method: keyof Backend, call: Call): string {
  const naming = KERNELS[method];
  return typeof naming === 'function' ? naming(...(call as never[])) : (naming ?? method);
}

/** Arrays among the arguments, also in lists and options. */
function arraysIn(values: Call, found: NDArray[] = [], depth = 0): NDArray[] {
  for (const value of values) {
    if (value instanceof NDArray) found.push(value);
    else if (typeof value === 'object' && value !== null && depth === 0 && !ArrayBuffer.isView(value))
      arraysIn(Object.values(value), found, 1);
  }
  return found;
}

/** Of what is read or written: a repeated element counts once. */
function bytesOf(x: NDArray): number {
  return Math.min(x.size * dtypeInfo[x.dtype].bytes, x.storage.byteLength);
}

/** Bytes of all arrays that a call reads and writes, each once. */
export function trafficOf(call: Call, result: unknown): number {
  const arrays = new Set(arraysIn([result], arraysIn(call)));
  let bytes = 0;
  for (const x of arrays) bytes += bytesOf(x);
  return bytes;
}

/** The shapes of the arrays that a call is given: `[128, 784] [784, 500]`. */
export const shapesOf = (call: Call): string =>
  arraysIn(call)
    .map((x) => `[${x.shape.join(', ')}]`)
    .join(' ');

/** Multiplications and additions of a product or a convolution; 0 for all else. */
export function flopsOf(method: keyof Backend, call: Call, result: unknown): number {
  if (!(result instanceof NDArray)) return 0;
  const [a, b] = call as readonly NDArray[];
  if (method === 'matmul') return 2 * result.size * a.shape[a.shape.length - 1];
  if (method === 'convolve') return 2 * result.size * taps(b);
  if (method === 'convolveInput') return 2 * a.size * taps(b);
  if (method === 'convolveWeight') return 2 * a.size * taps(result);
  return 0;
}

/** Products for each output element: the weight is [out, in / groups, …kernel]. */
const taps = (weight: NDArray): number => numElements(weight.shape.slice(1));
