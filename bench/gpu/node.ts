/**
 * The works in Node, through Dawn, for machines with a GPU and no browser: a program of its own, given the settings as JSON
 * and the file for the report. The libraries are those for pages: they find what a page would have of WebGPU.
 */
import fs from 'node:fs';
import { create, globals } from 'webgpu';
import { figure, type Report, type Settings } from './report.ts';

async function measureInNode(settings: Settings): Promise<Report> {
  Object.assign(globalThis, globals, { self: globalThis, location: { href: import.meta.url } });
  const userAgent = `Node/${process.versions.node} with Dawn`;
  Object.defineProperty(globalThis, 'navigator', {
    value: { gpu: create([]), userAgent, platform: process.platform, hardwareConcurrency: 1 },
    configurable: true,
  });
  const { measure } = await import('./measure.ts');
  return measure(settings, (entry) => console.error(figure(entry)));
}

const [settings, file] = process.argv.slice(2);
fs.writeFileSync(file, JSON.stringify(await measureInNode(JSON.parse(settings))));
// Dawn's device would keep Node awake.
process.exit();
