/** Data sets, samplers and loaders: PyTorch's `torch.utils.data`. */
export { defaultCollate } from './collate.ts';
export { DataLoader, type DataLoaderOptions } from './dataLoader.ts';
export { type Collated, ConcatDataset, type Dataset, randomSplit, Subset, TensorDataset } from './dataset.ts';
export {
  BatchSampler,
  RandomSampler,
  type RandomSamplerOptions,
  type Sampler,
  SequentialSampler,
  SubsetRandomSampler,
  WeightedRandomSampler,
  type WeightedRandomSamplerOptions,
} from './sampler.ts';
