/** What the GPU is, and how fast its memory is. */

const COPIES = 8;

async function device(): Promise<GPUDevice> {
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new Error('this browser gives no WebGPU adapter');
  return adapter.requestDevice();
}

export async function gpuName(): Promise<string> {
  const { adapterInfo } = await device();
  const { vendor, architecture, description } = adapterInfo;
  return [...new Set([vendor, architecture, description].filter(Boolean))].join(' ') || 'unknown';
}

/** Bytes read and written per second by copies between buffers, the fastest of five, in GB/s. */
export async function copyBandwidth(tiny: boolean): Promise<number> {
  const gpu = await device();
  const size = tiny ? 2 ** 20 : 2 ** 27;
  const usage = GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const [from, to] = [0, 1].map(() => gpu.createBuffer({ size, usage }));
  let best = 0;
  for (let round = 0; round < 5; round++) {
    const encoder = gpu.createCommandEncoder();
    for (let i = 0; i < COPIES; i++) encoder.copyBufferToBuffer(from, 0, to, 0, size);
    await gpu.queue.onSubmittedWorkDone();
    const start = performance.now();
    gpu.queue.submit([encoder.finish()]);
    await gpu.queue.onSubmittedWorkDone();
    best = Math.max(best, (2 * size * COPIES) / (performance.now() - start) / 1e6);
  }
  gpu.destroy();
  return best;
}
