/** A GPU for tests in pages: the browser's flags choose the processor's where there is no other. */
import * as torch from '../../src/index.ts';

/** Why there is no GPU, or null if webgpu() found one. */
export async function webgpuMissing(): Promise<string | null> {
  try {
    await torch.webgpu();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
