/* The yardstick: the allreduce that the library makes, from C. Arguments: bytes per call of MPI, then `bytes,times` for
   every size. Prints the median of each size in microseconds, one a line, on rank 0. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  int rank, provided;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_SERIALIZED, &provided);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  long chunk = atol(argv[1]) / sizeof(float);
  for (int arg = 2; arg < argc; arg++) {
    long bytes, times;
    if (sscanf(argv[arg], "%ld,%ld", &bytes, &times) != 2) MPI_Abort(MPI_COMM_WORLD, 2);
    long count = bytes / sizeof(float), warm = times / 5 + 2;
    float *data = calloc(count, sizeof(float));
    double *samples = malloc(times * sizeof(double));
    for (long i = -warm; i < times; i++) {
      double start = MPI_Wtime();
      for (long from = 0; from < count; from += chunk) {
        int part = (int)(count - from < chunk ? count - from : chunk);
        MPI_Allreduce(MPI_IN_PLACE, data + from, part, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
      }
      if (i >= 0) samples[i] = MPI_Wtime() - start;
    }
    qsort(samples, times, sizeof(double), ascending);
    if (rank == 0) printf("%.3f\n", samples[times / 2] * 1e6);
    free(samples);
    free(data);
  }
  MPI_Finalize();
  return 0;
}
