/**
 * The types that users meet. They name nothing of the standard's own types, which older versions of TypeScript do not have.
 */

/** A `GPU` of the WebGPU standard: `navigator.gpu`, or in Node what `create([])` of the package webgpu gives. */
export interface GPULike {
  requestAdapter(options?: object): Promise<object | null>;
}

/** A `GPUDevice` of the standard. */
export interface GPUDeviceLike {
  readonly queue: object;
  readonly limits: object;
  readonly lost: Promise<object>;
  destroy(): void;
}

export type MatmulPrecision = 'highest' | 'medium';

export interface WebGPUOptions {
  /** Where adapters come from, if not from `navigator.gpu` or the package webgpu. */
  gpu?: GPULike;
  /** A device that exists already; it is used with the limits and features that it has. */
  device?: GPUDeviceLike;
  /** Which of several adapters is wanted. */
  powerPreference?: 'low-power' | 'high-performance';
  /** Take the adapter that computes on the processor, if there is one. */
  forceFallbackAdapter?: boolean;
  /**
   * 'highest' (default): products and convolutions in float32. 'medium': large ones round their operands to float16 (11
   * bits; beyond ±65504 infinite) and add in float32, where the GPU has shader-f16; elsewhere as 'highest'.
   */
  matmulPrecision?: MatmulPrecision;
  /** Time the kernels, where the GPU has timestamp-query: `backendInfo().webgpu.milliseconds`. Default false. */
  timestamps?: boolean;
}

/** What is said of the GPU in `backendInfo()`. */
export interface WebGPUInfo {
  /** What the adapter says of itself. */
  readonly adapter: string;
  /** The adapter computes on the processor. */
  readonly fallbackAdapter: boolean;
  readonly features: readonly string[];
  /** The largest tensor, in bytes. */
  readonly maxTensorBytes: number;
  /** The largest that a kernel takes as a whole: larger ones are worked on in parts. */
  readonly maxBindingBytes: number;
  /** In use: 'medium' needs the feature shader-f16. */
  readonly matmulPrecision: MatmulPrecision;
  readonly lost: boolean;
  /** Kernels run, submissions that carried them, programs compiled, and buffers mapped for reading. */
  readonly dispatches: number;
  readonly submissions: number;
  readonly programs: number;
  readonly maps: number;
  /** How long the GPU computed, up to the last value that was read; null unless `timestamps` was asked for. */
  readonly milliseconds: number | null;
}
