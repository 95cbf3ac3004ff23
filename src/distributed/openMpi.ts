/**
 * Settings of Open MPI, which reads them from the environment when it starts. Its own choices suit neither two processes
 * of one virtual machine nor calls that are asked after:
 * - Between processes of one machine it lets the kernel copy from the other's memory (CMA), which in a virtual machine
 *   takes twice as long as by way of shared memory (1.6 MB by two: 0.40 and 0.18 ms), and is forbidden in many containers.
 *   Version 5 has what does that in a framework of its own, smsc, and calls the transport `sm` which was `vader`.
 * - Through shared memory it sends 4 KB at once and then pieces of 32 KB. Pieces of 64 KB take a third less time.
 * - Its non-blocking allreduce of a tensor in place sends all of it to one process and back, at any size; Rabenseifner's
 *   algorithm takes as many messages and half of the bytes.
 * - It sends messages above 64 KB by TCP piece by piece, and each piece waits until the program looks after it again,
 *   which it cannot while it computes. A message of half a chunk, as that algorithm sends, shall go at once.
 */

/** More than Open MPI puts before a message. */
const HEADER_BYTES = 4096;
const KB = 1024;

/** For this version, by name in the environment. */
export function openMpiSettings(major: number, chunkBytes: number): Readonly<Record<string, string>> {
  const sharedMemory = major < 5 ? 'vader' : 'sm';
  return {
    ...(major < 5 ? { OMPI_MCA_btl_vader_single_copy_mechanism: 'none' } : { OMPI_MCA_smsc: '^cma' }),
    [`OMPI_MCA_btl_${sharedMemory}_eager_limit`]: `${32 * KB}`,
    [`OMPI_MCA_btl_${sharedMemory}_max_send_size`]: `${64 * KB}`,
    OMPI_MCA_coll_libnbc_iallreduce_algorithm: '3',
    OMPI_MCA_btl_tcp_eager_limit: `${Math.max(64 * KB, Math.ceil(chunkBytes / 2) + HEADER_BYTES)}`,
  };
}

/** The first number of the version that the library tells, 0 for another library. */
export const openMpiMajor = (version: string): number => Number(/^Open MPI v?(\d+)/.exec(version)?.[1] ?? 0);
