/** What the spans of a name, and the calls of a module, add up to. Times are microseconds. */
import type { SpanKind, Work } from './spans.ts';

export class Sums implements Work {
  readonly name: string;
  readonly kind: SpanKind;
  readonly shapes: string | null;
  count = 0;
  self = 0;
  total = 0;
  bytes = 0;
  allocatedBytes = 0;
  flops = 0;
  workersTime = 0;
  /** Spans of this name that are open. */
  open = 0;

  constructor(name: string, kind: SpanKind, shapes: string | null) {
    this.name = name;
    this.kind = kind;
    this.shapes = shapes;
  }

  add(self: number, total: number, done: Work | null): void {
    this.count++;
    this.self += self;
    this.total += total;
    if (done === null) return;
    this.bytes += done.bytes;
    this.allocatedBytes += done.allocatedBytes;
    this.flops += done.flops;
    this.workersTime += done.workersTime;
  }
}

export interface ModuleSums {
  readonly module: WeakRef<object>;
  /** Inside the module that called it first; null if that one does not hold it, or there is none. */
  readonly name: string | null;
  readonly type: string;
  /** From the outermost module on: `FullyConnected.linear_1`. */
  readonly path: string;
  readonly outer: ModuleSums | null;
  readonly children: ModuleSums[];
  calls: number;
  forward: number;
  /** Without the modules inside. */
  forwardSelf: number;
  backward: number;
  backwardSelf: number;
  allocatedBytes: number;
  /** Time of the modules inside, during the call that runs. */
  inner: number;
}

export function moduleSums(
  module: WeakRef<object>,
  name: string | null,
  type: string,
  outer: ModuleSums | null,
  same: number,
): ModuleSums {
  const label = name ?? (same === 0 ? type : `${type} (${same + 1})`);
  return {
    module,
    name,
    type,
    path: outer === null ? label : `${outer.path}.${label}`,
    outer,
    children: [],
    calls: 0,
    forward: 0,
    forwardSelf: 0,
    backward: 0,
    backwardSelf: 0,
    allocatedBytes: 0,
    inner: 0,
  };
}
