/** Finding a GPU: the page's, one that the user brings, or in Node the optional package `webgpu` (Dawn). */
import { ArgumentError, DeviceError } from '../../core/errors.ts';
import { dawn, leaveWith, pending } from './dawn.ts';
import type { MatmulPrecision, WebGPUOptions } from './types.ts';

/** The features that kernels make use of where an adapter has them. */
const WANTED_FEATURES = ['timestamp-query', 'shader-f16', 'subgroups'] as const;
/** The limits that are raised to what the adapter offers. */
const WANTED_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
] as const;

export interface FoundDevice {
  readonly device: GPUDevice;
  /** What the adapter says of itself. */
  readonly name: string;
  /** True for an adapter that computes on the processor. */
  readonly fallbackAdapter: boolean;
  readonly matmulPrecision: MatmulPrecision;
  /** Kernels are to be timed. */
  readonly timestamps: boolean;
  /** The device was made here, so that it may be destroyed here. */
  readonly owned: boolean;
}

/** @throws ArgumentError for an unknown precision; DeviceError where there is no WebGPU, no adapter, or no device */
export async function findDevice(options: WebGPUOptions): Promise<FoundDevice> {
  const { matmulPrecision = 'highest', timestamps = false } = options;
  if (matmulPrecision !== 'highest' && matmulPrecision !== 'medium') {
    throw new ArgumentError(
      `webgpu: matmulPrecision must be 'highest' or 'medium', but got ${String(matmulPrecision)}`,
    );
  }
  if (options.device) {
    const device = options.device as GPUDevice;
    leaveWith(device, null);
    return { device, ...describe(device.adapterInfo), matmulPrecision, timestamps, owned: false };
  }
  const gpu = (options.gpu as GPU | undefined) ?? (await ambientGPU());
  const { powerPreference, forceFallbackAdapter } = options;
  let answer: GPUAdapter | null;
  try {
    answer = await pending(gpu, () =>
      gpu.requestAdapter({
        ...(powerPreference ? { powerPreference } : {}),
        ...(forceFallbackAdapter === undefined ? {} : { forceFallbackAdapter }),
      }),
    );
  } catch (error) {
    throw new DeviceError(`webgpu: asking for an adapter failed: ${String(error)}`);
  }
  if (answer === null)
    throw new DeviceError('webgpu: there is no adapter: no usable GPU, or it is switched off here');
  const adapter = answer;
  const requiredLimits: Record<string, number> = {};
  for (const name of WANTED_LIMITS) requiredLimits[name] = adapter.limits[name];
  try {
    const device = await pending(gpu, () =>
      adapter.requestDevice({
        label: 'wasmgrad',
        requiredFeatures: WANTED_FEATURES.filter((name) => adapter.features.has(name)),
        requiredLimits,
      }),
    );
    leaveWith(device, gpu);
    return { device, ...describe(adapter.info), matmulPrecision, timestamps, owned: true };
  } catch (error) {
    throw new DeviceError(`webgpu: the adapter gives no device: ${String(error)}`);
  }
}

function describe(info: GPUAdapterInfo | undefined): { name: string; fallbackAdapter: boolean } {
  const words = [info?.vendor, info?.architecture, info?.device, info?.description].filter(Boolean);
  const { isFallbackAdapter = false } = (info ?? {}) as { isFallbackAdapter?: boolean };
  return { name: [...new Set(words)].join(' ') || 'unknown', fallbackAdapter: isFallbackAdapter };
}

async function ambientGPU(): Promise<GPU> {
  if (typeof navigator === 'object' && navigator.gpu) return navigator.gpu;
  if (typeof process === 'object' && typeof process.getBuiltinModule === 'function') return dawn();
  const secure = typeof isSecureContext === 'boolean' && !isSecureContext;
  throw new DeviceError(
    `webgpu: this environment has no WebGPU${secure ? '; pages need https or localhost for it' : ''}`,
  );
}
