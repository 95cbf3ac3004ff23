/** The page: the bench on the whole of it. */
import { mountBench } from './mount.ts';

mountBench(document.getElementById('bench')!, { programs: new URL('.', location.href) });
