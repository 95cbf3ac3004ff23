/**
 * Where a profile looks. While it runs, methods of the backends, of the classes of modules, of recorded nodes, optimisers
 * and loaders are replaced by ones that tell the recorder; before and after it nothing is there that could cost time.
 */
import { OpNode, sequenceNow } from '../autograd/node.ts';
import { walkHooks } from '../autograd/walkHooks.ts';
import type { Backend } from '../backend/backend.ts';
import { ReferenceBackend } from '../backend/reference/index.ts';
import { presentBackend } from '../backend/registry.ts';
import { WasmBackend } from '../backend/wasm/index.ts';
import type { AnyKernel } from '../backend/wasm/layout.ts';
import { Pool } from '../backend/wasm/pool.ts';
import { type DType, dtypeInfo } from '../core/dtype.ts';
import { numElements, type Shape } from '../core/shape.ts';
import { DataLoader } from '../data/dataLoader.ts';
import { Module } from '../nn/module.ts';
import { observeModuleClasses } from '../nn/moduleClasses.ts';
import { Optimizer } from '../optim/optimizer.ts';
import { flopsOf, KERNELS, kernelName, shapesOf, trafficOf } from './kernels.ts';
import { type Method, Patches } from './patches.ts';
import type { Recorder } from './recorder.ts';

/** Begins to watch; the result ends it. */
export function observe(recorder: Recorder): () => void {
  const patches = new Patches();
  try {
    watchBackends(recorder, patches);
    watchPool(recorder, patches);
    watchModules(recorder, patches);
    watchWalks(recorder, patches);
    watchTraining(recorder, patches);
  } catch (error) {
    patches.remove();
    throw error;
  }
  return () => patches.remove();
}

/** Prototypes from an object's class down to the last but `Object`'s. */
function* prototypes(start: object | null): Generator<object> {
  for (let at = start; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) yield at;
}

function watchBackends(recorder: Recorder, patches: Patches): void {
  const gpu = presentBackend('webgpu');
  const owners = [
    WasmBackend.prototype,
    ReferenceBackend.prototype,
    ...(gpu ? prototypes(Object.getPrototypeOf(gpu)) : []),
  ];
  const methods = Object.keys(KERNELS) as (keyof Backend)[];
  for (const owner of owners) {
    patches.replace(owner, 'empty', (original) => watchAllocation(recorder, original));
    for (const method of methods)
      if (KERNELS[method] !== null)
        patches.replace(owner, method, (original) => watchKernel(recorder, method, original));
  }
}

function watchAllocation({ work }: Recorder, original: Method): Method {
  return function (this: unknown, ...call) {
    const [shape, dtype] = call as [Shape, DType];
    work.allocatedBytes += numElements(shape) * dtypeInfo[dtype].bytes;
    return Reflect.apply(original, this, call);
  };
}

function watchKernel(recorder: Recorder, method: keyof Backend, original: Method): Method {
  return function (this: unknown, ...call) {
    // Kernels use each other; the outer one counts.
    if (recorder.inKernel) return Reflect.apply(original, this, call);
    const shapes = recorder.sumsByShape ? shapesOf(call) : null;
    const span = recorder.open(kernelName(method, call), 'kernel', shapes);
    let end: number | undefined;
    recorder.inKernel = true;
    try {
      const result = Reflect.apply(original, this, call);
      end = recorder.now();
      if (result instanceof Promise) return recorder.during(span.name, result);
      recorder.work.bytes += trafficOf(call, result);
      recorder.work.flops += flopsOf(method, call, result);
      return result;
    } finally {
      recorder.inKernel = false;
      recorder.close(span, end);
    }
  };
}

/** Which part of the jobs that all threads take part in the workers do. */
function watchPool(recorder: Recorder, patches: Patches): void {
  let own = 0;
  const counting =
    (kernel: AnyKernel): AnyKernel =>
    (...args: number[]) => {
      own += args[args.length - 1] - args[args.length - 2];
      return kernel(...args);
    };
  const tables = new WeakSet<object>();
  patches.replace(
    Pool.prototype,
    'run',
    (original) =>
      function (this: unknown, ...call) {
        const pool = this as Pool;
        const [, , total, chunk] = call as [string, number[], number, number];
        if (!(chunk < total) || pool.threads === 1) return Reflect.apply(original, this, call);
        if (!tables.has(pool)) {
          tables.add(pool);
          const kernels = [...pool.kernels];
          pool.kernels.splice(0, Number.POSITIVE_INFINITY, ...kernels.map(counting));
          patches.add(() => pool.kernels.splice(0, Number.POSITIVE_INFINITY, ...kernels));
        }
        own = 0;
        const start = recorder.now();
        try {
          return Reflect.apply(original, this, call);
        } finally {
          recorder.work.workersTime += (recorder.now() - start) * (1 - own / total);
        }
      },
  );
}

function watchModules(recorder: Recorder, patches: Patches): void {
  const forward = (original: Method): Method =>
    function (this: unknown, ...call) {
      const module = this as Module;
      const run = () => Reflect.apply(original, this, call);
      // A class calls the `forward` of the class that it extends.
      if (recorder.module === module) return run();
      return recorder.forward(module, module.constructor.name, nameOf(module), run, sequenceNow);
    };
  const stop = observeModuleClasses((found) => {
    for (const owner of prototypes(found.prototype))
      if (owner !== Module.prototype) patches.replace(owner, 'forward', forward);
  });
  patches.add(stop);
}

/** Where a module is inside another one. */
const nameOf =
  (module: Module) =>
  (outer: object): string | null =>
    (outer as Module).namedModules().find(([, one]) => one === module)?.[0] ?? null;

function watchWalks(recorder: Recorder, patches: Patches): void {
  const { around } = walkHooks;
  walkHooks.around = (walk) => within(recorder, 'backward', 'walk', walk);
  patches.add(() => {
    walkHooks.around = around;
  });
  patches.replace(
    OpNode.prototype,
    'backward',
    (original) =>
      function (this: unknown, ...call) {
        const { name, sequence } = this as OpNode;
        return recorder.backward(name, sequence, () => Reflect.apply(original, this, call));
      },
  );
}

function within<R>(
  recorder: Recorder,
  name: string,
  kind: 'walk' | 'optimizer' | 'data' | 'user',
  run: () => R,
): R {
  const span = recorder.open(name, kind);
  try {
    return run();
  } finally {
    recorder.close(span);
  }
}

function watchTraining(recorder: Recorder, patches: Patches): void {
  patches.replace(
    Optimizer.prototype,
    'step',
    (original) =>
      function (this: unknown, ...call) {
        const name = `Optimizer.step#${(this as object).constructor.name}.step`;
        return within(recorder, name, 'optimizer', () => Reflect.apply(original, this, call));
      },
  );
  // The iterator of a loop that goes on when the profile is over looks whether there is one.
  patches.replace(
    DataLoader.prototype,
    Symbol.iterator,
    (original) =>
      function (this: unknown, ...call) {
        const iterator = Reflect.apply(original, this, call) as Iterator<unknown>;
        const { next } = iterator;
        iterator.next = () => {
          const run = () => next.call(iterator);
          return recorder.running ? within(recorder, 'DataLoader.next', 'data', run) : run();
        };
        return iterator;
      },
  );
  patches.replace(
    DataLoader.prototype,
    Symbol.asyncIterator,
    (original) =>
      function (this: unknown, ...call) {
        const iterator = Reflect.apply(original, this, call) as AsyncIterator<unknown>;
        const { next } = iterator;
        iterator.next = () => {
          const batch = next.call(iterator);
          return recorder.running ? recorder.during('DataLoader.next', batch) : batch;
        };
        return iterator;
      },
  );
}

/** A span that a program names. */
export function watchUser<R>(recorder: Recorder, name: string, run: () => R): R {
  const span = recorder.open(name, 'user');
  let result: R;
  try {
    result = run();
  } finally {
    recorder.close(span);
  }
  return result instanceof Promise ? (recorder.during(name, result) as R) : result;
}
