// What an extension's background script has: no page, no Worker, no URL.createObjectURL.
import { check } from './check.js';

const result = check().catch((error) => ({ error: String(error) }));
self.addEventListener('install', (event) => event.waitUntil(result));
self.addEventListener('message', async (event) => {
  const missing = [typeof Worker, typeof URL.createObjectURL, typeof document];
  event.source.postMessage({ ...(await result), missing });
});
