// A training module, and with it the second half of the samples whose bundler knows workers.
import { training } from 'wasmgrad/training';
import { check } from './check.js';

export default training(async ({ report, tick }) => {
  report('started');
  await tick();
  return check();
});
