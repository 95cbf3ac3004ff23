/**
 * `npm run bench:gpu -- --node`: the same works in Node, through Dawn, for machines with a GPU and no browser. The
 * libraries are those for pages: they find what a page would have of WebGPU.
 */
import { create, globals } from 'webgpu';
import type { Entry, Report, Settings } from './report.ts';

/** Measures everything, and tells each figure as it comes. */
export async function measureInNode(settings: Settings, tell: (entry: Entry) => void): Promise<Report> {
  Object.assign(globalThis, globals, { self: globalThis, location: { href: import.meta.url } });
  const userAgent = `Node/${process.versions.node} with Dawn`;
  Object.defineProperty(globalThis, 'navigator', {
    value: { gpu: create([]), userAgent, platform: process.platform, hardwareConcurrency: 1 },
    configurable: true,
  });
  const { measure } = await import('./measure.ts');
  return measure(settings, tell);
}
