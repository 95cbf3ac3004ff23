/** The order of the test files: what takes longest begins first, so that no worker is left alone with it at the end. */
import path from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** By what they take on two cores; those with a GPU, which compile on all cores, lie between others. */
const LONGEST = [
  ...['webgpu', 'package', 'demo', 'goldenWebGPU', 'tutorial', 'documents', 'packagePages', 'webgpuDevices'],
  ...['kernelsWindows', 'resume', 'webgpuFusion', 'distributed', 'kernelsScan', 'tutorialWebGPU'],
  ...['hiddenPage', 'kernelsBackend', 'fuzzOps', 'memory', 'outOfMemory', 'pool', 'autograd', 'bench'],
  ...[
    'stress',
    'assembly',
    'nnStructured',
    'goldenRng',
    'safetensors',
    'checkpoint',
    'derivatives',
    'layering',
  ],
];

export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = LONGEST.indexOf(path.basename(moduleId, '.test.ts'));
      return at < 0 ? LONGEST.length : at;
    };
    const sorted = await super.sort(files);
    return sorted.sort((a, b) => rank(a) - rank(b));
  }
}
