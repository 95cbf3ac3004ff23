/**
 * The MPI libraries: which to load, and the values that their headers give to handles and constants. MPI fixes the
 * functions but, before its version 5, not these. Three families cover what clusters have:
 * - Open MPI: a handle is the address of a variable that the library exports;
 * - MPICH and those compatible with it (Intel MPI, MVAPICH, Cray MPICH): a handle is a C int;
 * - the standard ABI of MPI 5 (libmpi_abi): a handle is a small number in a pointer.
 */
import type { DType } from '../core/dtype.ts';
import { DistributedError } from './errors.ts';
import type { CType, ForeignFunctions, ForeignLibrary } from './ffi.ts';
import type { Launch } from './launcher.ts';

export type ReduceOp = 'sum' | 'mean' | 'product' | 'max' | 'min' | 'band' | 'bor' | 'bxor';
/** What MPI computes; a mean is a sum that is divided afterwards. */
export type NativeOp = Exclude<ReduceOp, 'mean'>;
export type Handle = number | bigint;

export interface Constants {
  readonly family: 'Open MPI' | 'MPICH' | 'MPI ABI';
  /** How handles are passed. */
  readonly handle: 'int' | 'pointer';
  readonly world: Handle;
  readonly types: Readonly<Record<DType, Handle>>;
  readonly ops: Readonly<Record<NativeOp, Handle>>;
  readonly errorsReturn: Handle;
  readonly inPlace: bigint;
  readonly statusIgnore: bigint;
  /** The level at which one thread at a time calls MPI. */
  readonly serialized: number;
}

function openMpi(library: ForeignLibrary): Constants {
  const symbol = (name: string) => library.symbol(name);
  const uint8 = symbol('ompi_mpi_uint8_t');
  return {
    family: 'Open MPI',
    handle: 'pointer',
    world: symbol('ompi_mpi_comm_world'),
    types: {
      float32: symbol('ompi_mpi_float'),
      float64: symbol('ompi_mpi_double'),
      int64: symbol('ompi_mpi_int64_t'),
      int32: symbol('ompi_mpi_int32_t'),
      int16: symbol('ompi_mpi_int16_t'),
      int8: symbol('ompi_mpi_int8_t'),
      uint8,
      bool: uint8,
    },
    ops: {
      sum: symbol('ompi_mpi_op_sum'),
      product: symbol('ompi_mpi_op_prod'),
      max: symbol('ompi_mpi_op_max'),
      min: symbol('ompi_mpi_op_min'),
      band: symbol('ompi_mpi_op_band'),
      bor: symbol('ompi_mpi_op_bor'),
      bxor: symbol('ompi_mpi_op_bxor'),
    },
    errorsReturn: symbol('ompi_mpi_errors_return'),
    inPlace: 1n,
    statusIgnore: 0n,
    serialized: 2,
  };
}

const mpich: Constants = {
  family: 'MPICH',
  handle: 'int',
  world: 0x44000000,
  types: {
    float32: 0x4c00040a,
    float64: 0x4c00080b,
    int64: 0x4c00083a,
    int32: 0x4c000439,
    int16: 0x4c000238,
    int8: 0x4c000137,
    uint8: 0x4c00013b,
    bool: 0x4c00013b,
  },
  ops: {
    max: 0x58000001,
    min: 0x58000002,
    sum: 0x58000003,
    product: 0x58000004,
    band: 0x58000006,
    bor: 0x58000008,
    bxor: 0x5800000a,
  },
  errorsReturn: 0x54000001,
  inPlace: -1n,
  statusIgnore: 1n,
  serialized: 2,
};

const standardAbi: Constants = {
  family: 'MPI ABI',
  handle: 'pointer',
  world: 0x101n,
  types: {
    float32: 0x210n,
    float64: 0x214n,
    int64: 0x258n,
    int32: 0x250n,
    int16: 0x248n,
    int8: 0x240n,
    uint8: 0x241n,
    bool: 0x241n,
  },
  ops: {
    sum: 0x21n,
    min: 0x22n,
    max: 0x23n,
    product: 0x24n,
    band: 0x28n,
    bor: 0x29n,
    bxor: 0x2an,
  },
  errorsReturn: 0x143n,
  inPlace: 1n,
  statusIgnore: 0n,
  serialized: 2048,
};

/** SONAMEs by family, in the order to try them; ends of names are what distributions and their vendors use. */
const NAMES = {
  openmpi: ['libmpi.so.40', 'libmpi.so.80'],
  mpich: ['libmpich.so.12', 'libmpi.so.12', 'libmpi_cray.so.12'],
  any: [
    'libmpi_abi.so.1',
    'libmpi_abi.so.0',
    'libmpi.so',
    'libmpich.so',
    'libmpi.dylib',
    '/opt/homebrew/lib/libmpi.dylib',
  ],
};

function candidates(launch: Launch | null): readonly string[] {
  const { openmpi, mpich: compatible, any } = NAMES;
  return launch?.family === 'mpich'
    ? [...compatible, ...any, ...openmpi]
    : [...openmpi, ...compatible, ...any];
}

const INSTALL =
  'On Debian and Ubuntu: apt-get install openmpi-bin (or mpich); on a Mac: brew install open-mpi; on a cluster: load ' +
  'its MPI module. WASMGRAD_MPI_LIBRARY, or the option `library`, names a library at another place.';

/** Loads the library named, or the first there is. @throws DistributedError that says what to install */
export function loadLibrary(
  foreign: ForeignFunctions,
  library: string | undefined,
  launch: Launch | null,
): ForeignLibrary {
  const names = library === undefined ? candidates(launch) : [library];
  const problems: string[] = [];
  for (const name of names) {
    try {
      return foreign.load(name);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      // A library that is there but lacks another one is worth a word; one that is not there is not.
      if (!message.includes(`${name}: cannot open shared object file`) || library !== undefined)
        problems.push(message);
    }
  }
  const why = problems.length > 0 ? ` (${problems.join('; ')})` : '';
  throw new DistributedError(
    `initProcessGroup: no MPI library could be loaded: tried ${names.join(', ')}${why}. ${INSTALL}`,
  );
}

const VERSION_BYTES = 8192;

export interface Identity {
  /** As the library calls itself, in one line. */
  readonly version: string;
  readonly constants: Constants;
}

/** Asks the library who it is: the one call that needs no handle and no initialisation. @throws DistributedError */
export function identify(foreign: ForeignFunctions, library: ForeignLibrary): Identity {
  const text = new Uint8Array(VERSION_BYTES);
  const length = new Int32Array(1);
  const args: CType[] = ['pointer', 'pointer'];
  const getVersion = library.func('MPI_Get_library_version', args, 'pointer');
  getVersion(foreign.address(text), foreign.address(length));
  const full = new TextDecoder().decode(text.subarray(0, length[0])).replaceAll('\0', '');
  const version = full.split('\n')[0].replace(/\s+/g, ' ').replace(/, .*/, '').trim();
  if (/libmpi_abi/.test(library.path)) return { version, constants: standardAbi };
  if (/Open MPI/i.test(full)) return { version, constants: openMpi(library) };
  if (/MPICH|Intel\(R\) MPI|MVAPICH|CRAY/i.test(full)) return { version, constants: mpich };
  throw new DistributedError(
    `initProcessGroup: ${library.path} calls itself '${version}': known are Open MPI, MPICH and those compatible with ` +
      'it, and the standard ABI of MPI 5 (libmpi_abi)',
  );
}
