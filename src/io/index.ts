/**
 * wasmgrad/io: files that PyTorch, numpy and everybody else reads, and checkpoints.
 * @module wasmgrad/io
 */
export {
  type CheckpointState,
  type LoadCheckpointOptions,
  loadCheckpoint,
  type Stateful,
  saveCheckpoint,
} from './checkpoint.ts';
export type { FileDType, SavedFloat } from './dtypes.ts';
export {
  type LoadOptions,
  load,
  openSafetensors,
  SafetensorsFile,
  type Saveable,
  save,
  toBlob,
} from './files.ts';
export {
  type LoadNumpyOptions,
  loadNpy,
  loadNpz,
  type SaveNpzOptions,
  saveNpy,
  saveNpz,
} from './npy.ts';
export { exportOnnx, type OnnxOptions, toOnnx } from './onnx/index.ts';
export type { Metadata, SaveOptions, TensorInfo, Tensors } from './safetensors.ts';
export type { Source } from './source.ts';
export type { Target } from './target.ts';
export { type LoadTorchOptions, loadTorch } from './torchFile.ts';
