/** A program of its own: the tutorial's network makes one step; a line on standard output says that it is done. */
import * as torch from 'wasmgrad';
import { withModules } from '../suite/tutorial.ts';
import { allowRelaxedSimd } from './relaxedSimd.ts';

allowRelaxedSimd();
torch.manualSeed(1);
const images = torch.rand(128, 1, 28, 28);
const labels = torch.randint(0, 10, [128]);
console.log(withModules()(images, labels).item());
