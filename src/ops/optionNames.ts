/**
 * The names that options have anywhere. In TypeScript a wrong one is an error; in JavaScript `x.sum({ axis: 1 })` would add up
 * everything, and `new DataLoader(set, { batchsize: 128 })` train with one sample at a time.
 */
import { ArgumentError } from '../core/errors.ts';

/** Of all options but those of files, plots, servers and processes. test/unit/optionNames.test.ts keeps it complete. */
export const OPTION_NAMES =
  'a activation addBiasKv addZeroAttn affine alignCorners allowUnused alpha amsgrad annealStrategy append ' +
  'approximate asTuple atol attnMask averageAttnWeights b base baseLr baseMomentum batchFirst batchSampler ' +
  'batchSize beta betas bias bidirectional bins ceilMode centered channels checkForward checkNan collateFn ' +
  'cooldown copy correction countIncludePad createGraph cycleMomentum dampening decimals ' +
  'decoupledWeightDecay delta descending determinismCheck deterministic device diagonal dilation dim dim1 ' +
  'dim2 dimFeedforward dims distanceFunction divFactor divisorOverride dModel download dropLast dropout ' +
  'dropoutP dtype dx edgeitems elementwiseAffine enableGqa end endDim endFactor enforceSorted epochs eps ' +
  'equalNan errorIfNonfinite etaMin factor fill finalDivFactor freeze from full gain gamma generator ' +
  'gradient gradOutputs gradTensors groups hard historySize ignoreIndex indexing indices init ' +
  'initialAccumulatorValue inplace input interpolation invert isCausal k kdim keepdim keyPaddingMask labels ' +
  'labelSmoothing lambd largest lastEpoch layerNormEps lineSearchFn linewidth logInput logTarget lower lr ' +
  'lrDecay lrLambda margin mask max maxEval maximize maxIter maxLr maxMomentum maxNorm maxVal mean median ' +
  'memoryIsCausal memoryKeyPaddingMask memoryMask milestones min minlength minLr minVal mirrors mode ' +
  'momentum momentumDecay n nan needWeights negativeSlope neginf nesterov nhead nonBlocking nonlinearity norm normFirst ' +
  'normType numClasses numDecoderLayers numEncoderLayers numLayers numParameters numSamples numWorkers ' +
  'offset onProgress onReport optimizer ord outputPadding outputSize p padding paddingIdx paddingMode ' +
  'paddingSide paddingValue patience pctStart persistent pinMemory posinf posWeight power precision prepend ' +
  'preserveRngState projSize r raiseException recomputeScaleFactor reduce reduction repeats replacement ' +
  'requiresGrad retainGraph returnCounts returnIndices returnInverse rho right root roundingMode rtol ' +
  'runningMean runningVar sampler scale scaleFactor scaleFn scaleGradByFreq scaleMode schedulers sciMode ' +
  'setToNone shape shifts shuffle side sigma size sorted sparsity srcIsCausal srcKeyPaddingMask srcMask ' +
  'stable start startDim startFactor startMs std step stepSize stepSizeDown stepSizeUp stepsPerEpoch strict ' +
  'stride swap T0 tau tgtIsCausal tgtKeyPaddingMask tgtMask threads threePhase threshold thresholdMode TMax ' +
  'TMult to toleranceChange toleranceGrad totalIters totalLength totalSteps trackRunningStats train ' +
  'training transform unbiased upper useInputStats v validateArgs value vdim weight weightDecay weights withReplacement ' +
  'workerURL wrap';

/** What others call our options. */
const ELSEWHERE: { readonly [name: string]: string } = { axis: 'dim', keepdims: 'keepdim' };
/** Letters to be changed, at most, for a name to be a slip for another. */
const SLIP = 2;

let known: Set<string> | null = null;

/** Names that no function has as an option are refused; `own` are those of this one. @throws ArgumentError */
export function checkKnown(name: string, own: readonly string[]): void {
  known ??= new Set(OPTION_NAMES.split(' '));
  if (!known.has(name) && !own.includes(name)) refuseName(name, [...own, ...known]);
}

/** @throws ArgumentError with the one of `names` that is meant */
export function refuseName(name: string, names: readonly string[]): never {
  const meant = ELSEWHERE[name] ?? nearest(name, names);
  throw new ArgumentError(`there is no option '${name}'${meant === undefined ? '' : `; is ${meant} meant?`}`);
}

function nearest(name: string, names: readonly string[]): string | undefined {
  const wanted = name.toLowerCase();
  const near = names.map((each): [string, number] => [each, distance(wanted, each.toLowerCase())]);
  const [best, far] = near.reduce((a, b) => (b[1] < a[1] ? b : a), ['', SLIP + 1]);
  return far <= Math.min(SLIP, wanted.length / 2) ? best : undefined;
}

/** Letters to be put in, left out or exchanged to make one of the other (Levenshtein, 1966). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++)
      next.push(Math.min(row[j] + Number(a[i] !== b[j]), row[j + 1] + 1, next[j] + 1));
    row = next;
  }
  return row[b.length];
}
