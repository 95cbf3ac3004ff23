/**
 * Calling C from JavaScript: the five things that the MPI binding needs, and their implementation by koffi. Another
 * way (node:ffi, Bun's, Deno's) can take its place here without a change anywhere else.
 */
import { requirePeer } from '../core/peer.ts';
import { DistributedError } from './errors.ts';

/** The C types that MPI's functions take here. `handle` is an int or a pointer: see libraries.ts. */
export type CType = 'int' | 'pointer' | 'handle' | 'size';

/** A C function; pointers and pointer-sized handles are bigints, so are its arguments of type `size`. */
export type CFunction = (...args: (number | bigint)[]) => number;

export interface ForeignLibrary {
  /** The name that it was loaded by. */
  readonly path: string;
  /** A function that returns an int. @throws if the library has none of this name */
  func(name: string, args: readonly CType[], handle: 'int' | 'pointer'): CFunction;
  /** The address of a variable. @throws if the library has none of this name */
  symbol(name: string): bigint;
}

export interface ForeignFunctions {
  /** A shared library, or the running program itself for null. @throws Error if it cannot be loaded */
  load(path: string | null): ForeignLibrary;
  /** The address of a view's first byte. It stays valid as long as the view's buffer is neither moved nor dropped. */
  address(view: ArrayBufferView): bigint;
}

interface Koffi {
  config(options: Record<string, number>): void;
  load(
    path: string | null,
    options?: { global?: boolean },
  ): {
    func(name: string, result: string, args: string[]): CFunction;
    symbol(name: string, type: string): unknown;
  };
  address(value: unknown): bigint;
}

const STACK_BYTES = 8 << 20;

/** @throws DistributedError if the package koffi is not installed or does not work here */
export function loadForeignFunctions(): ForeignFunctions {
  const koffi = importKoffi();
  // Libraries of MPI put large arrays on the stack. Only possible before the first load; a second time is harmless.
  try {
    koffi.config({ sync_stack_size: STACK_BYTES });
  } catch {
    // Another part of the program has used koffi already: its stacks are used.
  }
  return {
    load(path) {
      // Global, as plug-ins of MPI libraries look for symbols of the library that loads them.
      const library = koffi.load(path, { global: true });
      return {
        path: path ?? 'this program',
        func(name, args, handle) {
          const types = { int: 'int', pointer: 'void *', size: 'size_t', handle: '' };
          types.handle = handle === 'int' ? 'int' : 'uintptr_t';
          return library.func(
            name,
            'int',
            args.map((type) => types[type]),
          );
        },
        symbol: (name) => koffi.address(library.symbol(name, 'void')),
      };
    },
    address: (view) => koffi.address(view),
  };
}

const importKoffi = (): Koffi =>
  requirePeer('koffi', (missing, why, cause) => {
    const message = missing
      ? "the backend 'mpi' calls MPI through the package koffi, which is not installed: npm install koffi"
      : `the package koffi cannot be loaded: ${why}`;
    return new DistributedError(`initProcessGroup: ${message}`, { cause });
  });
