/**
 * `data`: data sets, samplers and loaders.
 * @module wasmgrad/data
 */
export { type Collated, defaultCollate } from './collate.ts';
export { DataLoader, type DataLoaderOptions } from './dataLoader.ts';
export {
  ConcatDataset,
  Dataset,
  type Indices,
  randomSplit,
  StackDataset,
  Subset,
  TensorDataset,
} from './dataset.ts';
export type { DataLoaderStateDict } from './pass.ts';
export {
  BatchSampler,
  RandomSampler,
  type RandomSamplerOptions,
  Sampler,
  SequentialSampler,
  type Sized,
  SubsetRandomSampler,
  WeightedRandomSampler,
  type WeightedRandomSamplerOptions,
} from './sampler.ts';
export { ChainDataset, IterableDataset } from './stream.ts';
