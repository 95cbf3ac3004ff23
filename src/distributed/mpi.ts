/** The transport over MPI. One thread calls it; it calls the library where the data are, without a copy. */
import { DistributedError } from './errors.ts';
import type { CFunction, CType, ForeignFunctions, ForeignLibrary } from './ffi.ts';
import { loadForeignFunctions } from './ffi.ts';
import { detectLaunch } from './launcher.ts';
import { type Constants, type Handle, identify, loadLibrary, type NativeOp } from './libraries.ts';
import { openMpiMajor, openMpiSettings } from './openMpi.ts';
import { guardSignals } from './signals.ts';
import type { Elements, Request, Transport } from './transport.ts';

/** More than are ever under way: works run in order, a few calls each. */
const REQUEST_SLOTS = 64;
/** Of a request in any family. */
const REQUEST_BYTES = 8;
const ERROR_TEXT_BYTES = 8192;

const buffer: CType[] = ['pointer', 'int', 'handle'];
const SIGNATURES = {
  MPI_Initialized: ['pointer'],
  MPI_Init_thread: ['pointer', 'pointer', 'int', 'pointer'],
  MPI_Comm_rank: ['handle', 'pointer'],
  MPI_Comm_size: ['handle', 'pointer'],
  MPI_Comm_set_errhandler: ['handle', 'handle'],
  MPI_Error_string: ['int', 'pointer', 'pointer'],
  MPI_Allreduce: ['pointer', ...buffer, 'handle', 'handle'],
  MPI_Bcast: [...buffer, 'int', 'handle'],
  MPI_Iallreduce: ['pointer', ...buffer, 'handle', 'handle', 'pointer'],
  MPI_Ireduce: ['pointer', ...buffer, 'handle', 'int', 'handle', 'pointer'],
  MPI_Ibcast: [...buffer, 'int', 'handle', 'pointer'],
  MPI_Iallgather: [...buffer, ...buffer, 'handle', 'pointer'],
  MPI_Ireduce_scatter_block: ['pointer', ...buffer, 'handle', 'handle', 'pointer'],
  MPI_Ibarrier: ['handle', 'pointer'],
  MPI_Test: ['pointer', 'pointer', 'pointer'],
  MPI_Abort: ['handle', 'int'],
  MPI_Finalize: [],
} as const satisfies Record<string, readonly CType[]>;
type Name = keyof typeof SIGNATURES;

/** A typed array at an address that stays. */
class Cell {
  readonly array = new Int32Array(new ArrayBuffer(64));
  readonly address: bigint;

  constructor(foreign: ForeignFunctions) {
    this.address = foreign.address(this.array);
  }
  get value(): number {
    return this.array[0];
  }
}

class Binding {
  readonly foreign: ForeignFunctions;
  readonly library: ForeignLibrary;
  readonly constants: Constants;
  readonly version: string;
  readonly #functions: Record<Name, CFunction>;
  /** Lets another thread have the core, if one wants it. */
  readonly yieldCore: CFunction;

  constructor(foreign: ForeignFunctions, library: ForeignLibrary) {
    const { version, constants } = identify(foreign, library);
    this.foreign = foreign;
    this.library = library;
    this.version = version;
    this.constants = constants;
    this.yieldCore = foreign.load(null).func('sched_yield', [], 'pointer');
    const bind = (name: Name) => library.func(name, SIGNATURES[name], constants.handle);
    this.#functions = Object.fromEntries(
      Object.keys(SIGNATURES).map((name) => [name, bind(name as Name)]),
    ) as Record<Name, CFunction>;
  }

  /** @throws DistributedError with the library's own words if the call fails */
  call(name: Name, ...args: (number | bigint)[]): void {
    const code = this.#functions[name](...args);
    if (code !== 0) throw new DistributedError(`${name} failed: ${this.#errorText(code)}`);
  }

  number(name: Name, ...args: (number | bigint)[]): number {
    const cell = new Cell(this.foreign);
    this.call(name, ...args, cell.address);
    return cell.value;
  }

  #errorText(code: number): string {
    const text = new Uint8Array(ERROR_TEXT_BYTES);
    const length = new Cell(this.foreign);
    const failed = this.#functions.MPI_Error_string(code, this.foreign.address(text), length.address);
    if (failed !== 0) return `error ${code}`;
    return `${new TextDecoder().decode(text.subarray(0, length.value))} (error ${code})`;
  }
}

export interface MpiOptions {
  /** File name of the library; default: the one that suits the launcher. */
  readonly library?: string | undefined;
  /** Calls are about as large at most. */
  readonly chunkBytes: number;
}

/** Loads a library and starts MPI. @throws DistributedError that says what is missing, or what does not go together */
export function startMpi(options: MpiOptions): MpiTransport {
  const launch = detectLaunch();
  const foreign = loadForeignFunctions();
  const restoreSignals = guardSignals(foreign);
  const wanted = options.library ?? (process.env.WASMGRAD_MPI_LIBRARY || undefined);
  const binding = new Binding(foreign, loadLibrary(foreign, wanted, launch));
  if (binding.number('MPI_Initialized') !== 0) {
    restoreSignals();
    throw new DistributedError(
      'initProcessGroup: MPI was started before in this process; it can be started once',
    );
  }
  const major = openMpiMajor(binding.version);
  const settings = major === 0 ? {} : openMpiSettings(major, options.chunkBytes);
  // What the user or the launcher has set stays.
  for (const [name, value] of Object.entries(settings)) process.env[name] ??= value;
  binding.number('MPI_Init_thread', 0n, 0n, binding.constants.serialized);
  restoreSignals();
  const transport = new MpiTransport(binding);
  if (launch && launch.size > 1 && transport.size === 1) {
    throw new DistributedError(
      `initProcessGroup: ${launch.launcher} started ${launch.size} processes, but the library ${binding.library.path} ` +
        `(${binding.version}) does not understand it: each process is alone. Start them with the launcher of that ` +
        `library${binding.constants.family === 'MPICH' ? ' (mpirun.mpich)' : ' (mpirun.openmpi)'}, or set ` +
        'WASMGRAD_MPI_LIBRARY to the library of the launcher',
    );
  }
  return transport;
}

/** A place for a request of MPI's, which is used again when the call is complete. */
class RequestSlot implements Request {
  readonly address: bigint;
  readonly #mpi: Binding;
  readonly #done: Cell;
  readonly #free: RequestSlot[];

  constructor(mpi: Binding, address: bigint, done: Cell, free: RequestSlot[]) {
    this.#mpi = mpi;
    this.address = address;
    this.#done = done;
    this.#free = free;
  }

  test(): boolean {
    this.#mpi.call('MPI_Test', this.address, this.#done.address, this.#mpi.constants.statusIgnore);
    if (this.#done.value === 0) return false;
    this.#free.push(this);
    return true;
  }
}

export class MpiTransport implements Transport {
  readonly rank: number;
  readonly size: number;
  readonly #mpi: Binding;
  /** Kept, as the library writes into it. */
  readonly #requestMemory = new Uint8Array(REQUEST_SLOTS * REQUEST_BYTES);
  readonly #free: RequestSlot[] = [];

  constructor(mpi: Binding) {
    const { world, errorsReturn } = mpi.constants;
    this.#mpi = mpi;
    const requests = mpi.foreign.address(this.#requestMemory);
    const done = new Cell(mpi.foreign);
    for (let slot = 0; slot < REQUEST_SLOTS; slot++) {
      const address = requests + BigInt(slot * REQUEST_BYTES);
      this.#free.push(new RequestSlot(mpi, address, done, this.#free));
    }
    mpi.call('MPI_Comm_set_errhandler', world, errorsReturn);
    this.rank = mpi.number('MPI_Comm_rank', world);
    this.size = mpi.number('MPI_Comm_size', world);
  }

  get version(): string {
    return this.#mpi.version;
  }

  address(view: ArrayBufferView): bigint {
    return this.#mpi.foreign.address(view);
  }

  #type = ({ dtype }: Elements): Handle => this.#mpi.constants.types[dtype];
  #op = (op: NativeOp): Handle => this.#mpi.constants.ops[op];

  /** Starts a call whose last argument is where its request goes. */
  #start(name: Name, ...args: (number | bigint)[]): Request {
    const slot = this.#free.pop();
    if (slot === undefined)
      throw new DistributedError(`${name}: more than ${REQUEST_SLOTS} calls are under way`);
    this.#mpi.call(name, ...args, slot.address);
    return slot;
  }

  allReduce(data: Elements, op: NativeOp): Request {
    const { world, inPlace } = this.#mpi.constants;
    const { address, count } = data;
    return this.#start('MPI_Iallreduce', inPlace, address, count, this.#type(data), this.#op(op), world);
  }

  reduce(data: Elements, op: NativeOp, root: number): Request {
    const { world, inPlace } = this.#mpi.constants;
    const { address, count } = data;
    const [from, to] = this.rank === root ? [inPlace, address] : [address, 0n];
    return this.#start('MPI_Ireduce', from, to, count, this.#type(data), this.#op(op), root, world);
  }

  broadcast(data: Elements, root: number): Request {
    return this.#start(
      'MPI_Ibcast',
      data.address,
      data.count,
      this.#type(data),
      root,
      this.#mpi.constants.world,
    );
  }

  allGather(from: Elements, to: Elements): Request {
    const type = this.#type(from);
    const { count } = from;
    const { world } = this.#mpi.constants;
    return this.#start('MPI_Iallgather', from.address, count, type, to.address, count, type, world);
  }

  reduceScatter(from: Elements, to: Elements, op: NativeOp): Request {
    const { world } = this.#mpi.constants;
    const type = this.#type(to);
    return this.#start(
      'MPI_Ireduce_scatter_block',
      from.address,
      to.address,
      to.count,
      type,
      this.#op(op),
      world,
    );
  }

  barrier(): Request {
    return this.#start('MPI_Ibarrier', this.#mpi.constants.world);
  }

  allReduceNow(data: Elements, op: NativeOp): void {
    const { world, inPlace } = this.#mpi.constants;
    this.#mpi.call('MPI_Allreduce', inPlace, data.address, data.count, this.#type(data), this.#op(op), world);
  }

  broadcastNow(data: Elements, root: number): void {
    this.#mpi.call('MPI_Bcast', data.address, data.count, this.#type(data), root, this.#mpi.constants.world);
  }

  abort(code: number): void {
    this.#mpi.call('MPI_Abort', this.#mpi.constants.world, code);
  }

  yieldCore(): void {
    this.#mpi.yieldCore();
  }

  finalize(): void {
    this.#mpi.call('MPI_Finalize');
  }
}
