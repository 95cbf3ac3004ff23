// The page of most samples. The address may carry options: `?workerURL=/worker.js`.
import { check } from './check.js';

const { workerURL } = Object.fromEntries(new URLSearchParams(location.search));
globalThis.result = check(workerURL ? { workerURL } : {}).catch((error) => ({ error: String(error) }));
