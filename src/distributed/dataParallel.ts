/**
 * Data-parallel training: every process has the whole model and a part of each batch, and the gradients are averaged
 * while the backward pass goes on (Li et al., 2020, "PyTorch Distributed"). Gradients live in buckets, large ones by
 * themselves; a bucket leaves when all its gradients are there and all buckets before it have left, so the order is the same on every process.
 */
import { queueCallback, walkHooks } from '../autograd/walkHooks.ts';
import { dtypeInfo } from '../core/dtype.ts';
import { ArgumentError } from '../core/errors.ts';
import { contiguousStrides, formatShape, type Shape, type Strides } from '../core/shape.ts';
import { Module } from '../nn/module.ts';
import type { Parameter } from '../nn/parameter.ts';
import type { LoadStateDictOptions, StateDict } from '../nn/stateDict.ts';
import { Tensor } from '../tensor.ts';
import { Average } from './average.ts';
import { assignBuckets, type Bucket, LoneBucket, SharedBucket } from './buckets.ts';
import { allGatherObject, broadcast, compareCalls, nameOf } from './collectives.ts';
import { DistributedError } from './errors.ts';
import { type ProcessGroup, processGroup } from './group.ts';
import { duringKernels } from './memory.ts';
import type { Work } from './work.ts';

export interface DataParallelOptions {
  /** Gradients that travel together, in MB. Default 25. */
  bucketCapMb?: number;
  /** The same for the first bucket. Default 1. */
  firstBucketMb?: number;
  /** Give all processes the buffers of process 0 before each training step. Default true. */
  broadcastBuffers?: boolean;
  /** Allow parameters that take no part in a backward pass: their gradient counts as zero. Default false. */
  findUnusedParameters?: boolean;
}

/** Named parameters in an error; more are counted. */
const NAMED = 8;
const MB = 2 ** 20;

/**
 * Wraps a model for training by several processes. All parameters and buffers become those of process 0. Afterwards
 * use it in place of the model: `forward`, `parameters()`. After every backward pass, all processes have the mean of
 * their gradients.
 *
 * The state dict is that of the model inside, so that files do not know how they were trained.
 * @throws DistributedError, naming the first difference, if the processes do not have the same model
 */
export class DistributedDataParallel<M extends Module = Module> extends Module {
  readonly module: M;
  readonly #reducer: Reducer;
  readonly #broadcastBuffers: boolean;

  constructor(module: M, options: DataParallelOptions = {}) {
    super();
    const {
      bucketCapMb = 25,
      firstBucketMb = 1,
      broadcastBuffers = true,
      findUnusedParameters = false,
    } = options;
    for (const [name, value] of Object.entries({ bucketCapMb, firstBucketMb }))
      if (!(value > 0))
        throw new ArgumentError(`DistributedDataParallel: ${name} must be positive, but got ${value}`);
    if (!(module instanceof Module))
      throw new ArgumentError(`DistributedDataParallel: expected a Module, but got ${String(module)}`);
    const trained = module.namedParameters().filter(([, parameter]) => parameter.requiresGrad);
    if (trained.length === 0) {
      throw new ArgumentError(
        "DistributedDataParallel is not needed when a module doesn't have any parameter that requires a gradient.",
      );
    }
    this.module = module;
    this.#broadcastBuffers = broadcastBuffers;
    compareModels(module);
    for (const tensor of [...module.parameters(), ...module.buffers()]) broadcast(tensor, 0);
    this.#reducer = new Reducer(trained, {
      firstBytes: firstBucketMb * MB,
      capBytes: bucketCapMb * MB,
      findUnused: findUnusedParameters,
    });
  }

  override forward(...inputs: Parameters<M['forward']>): ReturnType<M['forward']> {
    const averages = this.training && this.#reducer.enabled;
    if (averages && this.#broadcastBuffers) for (const buffer of this.module.buffers()) broadcast(buffer, 0);
    const output = this.module.call(...inputs) as ReturnType<M['forward']>;
    this.#reducer.watch(output);
    return output;
  }

  /**
   * Runs `body` without averaging: backward passes in it only add to this process's gradients, and the next one outside
   * averages their sum. For batches that come in several parts. All processes must do the same. An async body lasts
   * until its promise has an end.
   */
  noSync<R>(body: () => R): R {
    return this.#reducer.disabled(body);
  }

  /** The state of the model inside. */
  override stateDict(...args: Parameters<Module['stateDict']>): StateDict {
    return this.module.stateDict(...args);
  }

  /** Takes the state of the model inside, also under names that begin with `module.`, as PyTorch writes them. */
  override loadStateDict(
    state: Readonly<StateDict>,
    options: LoadStateDictOptions = {},
  ): ReturnType<Module['loadStateDict']> {
    const names = Object.keys(state);
    const prefix = 'module.';
    const wrapped = names.length > 0 && names.every((name) => name.startsWith(prefix));
    const inner = wrapped
      ? Object.fromEntries(names.map((name) => [name.slice(prefix.length), state[name]]))
      : state;
    return this.module.loadStateDict(inner, options);
  }
}

/** One line for each parameter and buffer. */
function describe(module: Module): [name: string, form: string][] {
  const form = (x: Tensor) => `${x.dtype} ${formatShape(x.shape)}`;
  const parameters = module
    .namedParameters()
    .map(([name, x]): [string, string] => [name, `${form(x)}${x.requiresGrad ? '' : ', not trained'}`]);
  return [...parameters, ...module.namedBuffers().map(([name, x]): [string, string] => [name, form(x)])];
}

/** @throws DistributedError, the same on every process, that says where two of them differ */
function compareModels(module: Module): void {
  const all = allGatherObject(describe(module));
  for (const [rank, theirs] of all.entries()) {
    const length = Math.max(all[0].length, theirs.length);
    for (let i = 0; i < length; i++) {
      const [mine, other] = [all[0][i], theirs[i]].map((one) => one && `'${one[0]}' (${one[1]})`);
      if (mine === other) continue;
      throw new DistributedError(
        `DistributedDataParallel: the processes have different models: number ${i} of the parameters and buffers is ` +
          `${mine ?? 'missing'} on rank 0, but ${other ?? 'missing'} on rank ${rank}`,
      );
    }
  }
}

/**
 * How the gradients of these parameters lie in memory, the same on every process: as the parameters do, so that neither
 * the backward pass nor the optimiser has to transpose them; in row-major order where processes differ.
 */
function commonStrides(parameters: readonly Parameter[]): readonly Strides[] {
  const all = allGatherObject(parameters.map(({ array }) => (array.dense ? array.strides : null)));
  return parameters.map(({ shape }, i) => {
    const [first] = all.map((theirs) => theirs[i]);
    const same = first !== null && all.every((theirs) => isOrdered(shape, theirs[i], first));
    return same ? first : contiguousStrides(shape);
  });
}

/** Whether two arrays of a shape go through memory in the same way. */
const isOrdered = (shape: Shape, a: Strides | null, b: Strides): boolean =>
  a !== null && shape.every((size, d) => size === 1 || a[d] === b[d]);

interface ReducerOptions {
  readonly firstBytes: number;
  readonly capBytes: number;
  readonly findUnused: boolean;
}

/** Sees gradients arrive, and averages them bucket by bucket. */
class Reducer {
  readonly #group: ProcessGroup;
  readonly #named: readonly [string, Parameter][];
  readonly #buckets: readonly Bucket[];
  /** Of each bucket; none where there is only one process. */
  readonly #averages: readonly Average[];
  readonly #strides: readonly Strides[];
  readonly #findUnused: boolean;
  /** How many bodies of `disabled` run. */
  #disabled = 0;
  // Of the backward pass that runs, which its list of callbacks tells apart from those that failed before:
  #pass: object | null = null;
  readonly #arrived: boolean[];
  /** By bucket: gradients that have not arrived. */
  readonly #missing: number[];
  #nextBucket = 0;
  #works: Work[] = [];
  readonly #afterNode = (): void => {
    const { failure } = this.#group.queue;
    if (failure !== null) throw failure;
    if (!this.#group.queue.idle) this.#group.queue.progress();
  };
  /** The same within a kernel, which nothing may interrupt: a failure comes up after the node. */
  readonly #inKernel = (): void => {
    try {
      if (!this.#group.queue.idle) this.#group.queue.progress();
    } catch {
      // It is the queue's `failure` now.
    }
  };
  readonly #atEnd = (): void => this.#end();
  readonly #leave = (): void => {
    this.#pass = null;
    walkHooks.afterNode = null;
    duringKernels(this.#named[0][1].array, null);
  };

  constructor(named: readonly [string, Parameter][], options: ReducerOptions) {
    this.#group = processGroup('DistributedDataParallel');
    this.#named = named;
    this.#findUnused = options.findUnused;
    const parameters = named.map(([, parameter]) => parameter);
    const strides = commonStrides(parameters);
    this.#strides = strides;
    // A gradient that takes a whole call is not copied to share it.
    const { chunkBytes } = this.#group;
    const assigned = assignBuckets(parameters, options.firstBytes, options.capBytes, chunkBytes);
    this.#buckets = assigned.map((members) => {
      const [first] = members;
      const alone = parameters[first].numel() * dtypeInfo[parameters[first].dtype].bytes >= chunkBytes;
      return alone
        ? new LoneBucket(first, parameters[first])
        : new SharedBucket(members, parameters, strides);
    });
    const { transport } = this.#group;
    this.#averages =
      transport === null
        ? []
        : assigned.map((members, b) => {
            const [first] = members.map((i) => parameters[i]);
            const shape = this.#buckets[b].flat?.shape ?? [first.numel()];
            return new Average(
              nameOf('allReduce (mean)', { dtype: first.dtype, shape }),
              this.#group,
              transport,
            );
          });
    this.#arrived = parameters.map(() => false);
    this.#missing = this.#buckets.map((bucket) => bucket.members.length);
    this.#buckets.forEach((bucket, b) => {
      bucket.members.forEach((i, position) => {
        const { leaf } = parameters[i];
        if (leaf === null) throw new DistributedError(`DistributedDataParallel: '${named[i][0]}' is no leaf`);
        leaf.afterAccumulate ??= [];
        leaf.afterAccumulate.push(() => this.#arrive(b, i, position));
      });
    });
  }

  get enabled(): boolean {
    return this.#disabled === 0;
  }

  disabled<R>(body: () => R): R {
    this.#disabled++;
    let goesOn = false;
    const leave = (): void => {
      this.#disabled--;
    };
    try {
      const result = body();
      if (!(result instanceof Promise)) return result;
      goesOn = true;
      return result.finally(leave) as R;
    } finally {
      if (!goesOn) leave();
    }
  }

  /** So that a backward pass which uses none of the parameters takes part too. */
  watch(output: unknown): void {
    if (!this.#findUnused || !this.enabled) return;
    for (const x of tensorsIn(output)) if (x.requiresGrad) x.registerHook(() => this.#begin());
  }

  #begin(): void {
    if (this.#pass === walkHooks.atEnd || !this.enabled) return;
    this.#pass = walkHooks.atEnd;
    this.#arrived.fill(false);
    this.#buckets.forEach((bucket, b) => {
      this.#missing[b] = bucket.members.length;
    });
    this.#nextBucket = 0;
    // Of a pass that failed: their averages are about to be used again.
    this.#waitForWorks();
    walkHooks.afterNode = this.#afterNode;
    queueCallback(this.#atEnd, this.#leave);
  }

  /** A gradient is complete. It moves into its bucket, if it is not there already. */
  #arrive(b: number, i: number, position: number): void {
    this.#intoBucket(b, i, position);
    if (!this.enabled) return;
    this.#begin();
    if (this.#arrived[i]) return;
    this.#arrived[i] = true;
    if (--this.#missing[b] === 0) this.#launchReady();
  }

  #intoBucket(b: number, i: number, position: number): void {
    const { leaf } = this.#named[i][1];
    if (!leaf?.grad) return;
    const view = this.#buckets[b].view(position);
    const { array } = leaf.grad;
    if (view === null) {
      if (isOrdered(array.shape, array.dense ? array.strides : null, this.#strides[i])) return;
    } else if (array.storage === view.storage && array.offset === view.offset) return;
    const place = view ?? array.backend.empty(array.shape, array.dtype, this.#strides[i]);
    place.backend.assign(place, array);
    if (!leaf.exposed) array.storage.free();
    leaf.grad = new Tensor(place);
    // A bucket outlives what others do with the gradient: it must not be freed with it.
    leaf.exposed = view !== null;
  }

  #launchReady(): void {
    while (this.#nextBucket < this.#buckets.length && this.#missing[this.#nextBucket] === 0) {
      const b = this.#nextBucket++;
      const { flat } = this.#buckets[b];
      if (this.#averages.length === 0 || flat === null) continue;
      const average = this.#averages[b];
      compareCalls(this.#group, average.name);
      average.begin(flat.array);
      duringKernels(flat.array, this.#inKernel);
      this.#works.push(this.#group.queue.add(average));
    }
  }

  #end(): void {
    this.#leave();
    if (!this.#findUnused && this.#arrived.includes(false)) {
      const absent = this.#named.filter((_, i) => !this.#arrived[i]).map(([name]) => name);
      throw unusedError(this.#group.rank, absent);
    }
    if (this.#findUnused) this.#completeWithZeros();
    this.#waitForWorks();
  }

  #waitForWorks(): void {
    for (const work of this.#works) work.wait();
    this.#works = [];
  }

  /**
   * What took no part counts as zero, and what has a gradient on no process gets none. Only the others know, and they
   * may have launched any of the buckets: so all are launched, as everywhere, before the processes tell each other.
   */
  #completeWithZeros(): void {
    const mine = this.#named.map(([, { leaf }]) => leaf !== null && leaf.grad !== null);
    this.#buckets.forEach((bucket, b) => {
      if (b < this.#nextBucket) return;
      bucket.members.forEach((i, position) => {
        this.#intoBucket(b, i, position);
        const { leaf, array } = this.#named[i][1];
        if (mine[i] || leaf === null) return;
        const view = bucket.view(position);
        const zeros = view ?? array.backend.empty(array.shape, array.dtype, this.#strides[i]);
        zeros.backend.fill(zeros, 0);
        leaf.grad = new Tensor(zeros);
        leaf.exposed = view !== null;
      });
      this.#missing[b] = 0;
    });
    this.#launchReady();
    const all = allGatherObject(mine);
    this.#named.forEach(([, parameter], i) => {
      if (!all.some((theirs) => theirs[i])) parameter.clearGrad();
    });
  }
}

function* tensorsIn(output: unknown): Generator<Tensor> {
  if (output instanceof Tensor) yield output;
  else if (typeof output === 'object' && output !== null)
    for (const value of Object.values(output)) yield* tensorsIn(value);
}

function unusedError(rank: number, names: readonly string[]): DistributedError {
  const shown =
    names.slice(0, NAMED).join(', ') + (names.length > NAMED ? ` and ${names.length - NAMED} more` : '');
  return new DistributedError(
    `DistributedDataParallel: on rank ${rank} these parameters took no part in the backward pass: ${shown}. The other ` +
      'processes would wait for their gradients. If that is intended, pass { findUnusedParameters: true }; else use them ' +
      'in forward, or set requiresGrad = false on them before wrapping the model',
  );
}
