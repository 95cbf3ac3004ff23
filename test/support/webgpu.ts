/** A GPU for tests. Without one of its own, Node takes the processor's: SwiftShader, which comes with Chromium. */
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as torch from '../../src/index.ts';

const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';
/** SwiftShader looks for its settings in the current folder, when it is loaded. */
export const SETTINGS = fileURLToPath(new URL('swiftshader', import.meta.url));

/**
 * Dawn looks for what is done by `setImmediate`, so its process is busy while it waits for SwiftShader, which needs the
 * core. Looking once a millisecond takes as long and half of the processor's time.
 */
function lookLessOften(): void {
  const later = (callback: (...args: unknown[]) => void, ...args: unknown[]) =>
    setTimeout(callback, 1, ...args);
  Object.assign(globalThis, { setImmediate: later });
}

/**
 * Why there is no GPU, or null if webgpu() found one. REQUIRE_WEBGPU in the environment makes its absence an error.
 * Set before the first device is asked for: Vulkan reads the variable once.
 */
export async function webgpuMissing(): Promise<string | null> {
  if (process.env.VK_ICD_FILENAMES === undefined && fs.existsSync(SWIFTSHADER))
    process.env.VK_ICD_FILENAMES = SWIFTSHADER;
  lookLessOften();
  const folder = process.cwd();
  try {
    process.chdir(SETTINGS);
    await torch.webgpu();
    return null;
  } catch (error) {
    if (process.env.REQUIRE_WEBGPU) throw error;
    return error instanceof Error ? error.message : String(error);
  } finally {
    process.chdir(folder);
  }
}
