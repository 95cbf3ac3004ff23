/** What the environment tells about who started this process. */

export interface Launch {
  /** For people. */
  readonly launcher: string;
  /** How many processes it started. */
  readonly size: number;
  /** Which family of libraries it starts; null if it may be any. */
  readonly family: 'openmpi' | 'mpich' | null;
}

type Environment = Readonly<Record<string, string | undefined>>;

const SIGNS: readonly { variable: string; launcher: string; family: Launch['family'] }[] = [
  { variable: 'OMPI_COMM_WORLD_SIZE', launcher: "Open MPI's mpirun", family: 'openmpi' },
  { variable: 'PMI_SIZE', launcher: "MPICH's mpirun", family: 'mpich' },
  { variable: 'SLURM_STEP_NUM_TASKS', launcher: "Slurm's srun", family: null },
];

/** Who started this process, or null if nobody says so: it may still be one of several. */
export function detectLaunch(environment: Environment = process.env): Launch | null {
  for (const { variable, launcher, family } of SIGNS) {
    const size = Number(environment[variable]);
    if (!Number.isInteger(size) || size < 1) continue;
    // srun speaks the protocol of either family; PMIx is Open MPI's.
    const srun = environment.SLURM_STEP_NUM_TASKS !== undefined && variable !== 'OMPI_COMM_WORLD_SIZE';
    const known = srun && environment.PMIX_RANK !== undefined ? 'openmpi' : family;
    return { launcher: srun ? "Slurm's srun" : launcher, size, family: known };
  }
  return null;
}

/** True if a launcher of MPI programs started this process: what a script asks that also runs alone. */
export const isLaunched = (): boolean => detectLaunch() !== null;
