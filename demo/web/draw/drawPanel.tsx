/** Drawing: what the network sees, what it thinks of it, and what its first layer looks for. */
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Picture } from '../picture.tsx';
import { Probabilities } from '../probabilities.tsx';
import { classes, model, predict, weights } from '../state.ts';
import { centred } from './centre.ts';
import { Pad } from './pad.tsx';

const RANGE = [0, 1] as const;
const EMPTY = new Float32Array(28 * 28);
const NOTHING = new Array<number>(10).fill(0);

/** Asks for a prediction of the newest drawing, one question at a time. */
function usePrediction(pixels: Float32Array | null): readonly number[] | null {
  const [answer, setAnswer] = useState<readonly number[] | null>(null);
  const asking = useRef(false);
  const newest = useRef<Float32Array | null>(null);
  const known = model.value;
  useEffect(() => {
    newest.current = pixels;
    if (pixels === null || known === null) {
      setAnswer(null);
      return;
    }
    const ask = async (): Promise<void> => {
      asking.current = true;
      for (let asked: Float32Array | null = null; newest.current !== null && asked !== newest.current; ) {
        asked = newest.current;
        setAnswer(await predict(asked));
      }
      asking.current = false;
    };
    if (!asking.current) void ask();
  }, [pixels, known]);
  return answer;
}

function Weights(): JSX.Element | null {
  const found = weights.value;
  const range = useMemo(() => {
    const all = found?.pictures.flatMap((picture) => [...picture]) ?? [0];
    const largest = all.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    return [-largest, largest] as const;
  }, [found]);
  if (found === null) return null;
  return (
    <section>
      <h3>What its first layer looks for</h3>
      <p>
        Each picture holds the weights of one {found.size === 28 ? 'neuron' : 'kernel'}, those with the
        largest ones first: bright where ink speaks for it, dark where against. The longer it trains, the
        clearer they become.
      </p>
      <div class="weights">
        {found.pictures.map((picture, i) => (
          <Picture
            key={i}
            pixels={picture}
            size={found.size}
            range={range}
            label={`weights, picture ${i + 1}`}
          />
        ))}
      </div>
    </section>
  );
}

export function DrawPanel(): JSX.Element {
  const [pixels, setPixels] = useState<Float32Array | null>(null);
  const [wipes, setWipes] = useState(0);
  const answer = usePrediction(pixels);
  const best = answer === null ? null : answer.indexOf(Math.max(...answer));
  return (
    <>
      <h2>Draw a {model.value?.settings.dataset === 'fashion' ? 'piece of clothing' : 'digit'}</h2>
      {model.value === null && (
        <p class="hint">
          There is no network yet. <a href="#train">Train one</a>, or open one there: the pad answers from the
          first step on.
        </p>
      )}
      <div class="draw">
        <div>
          <Pad
            wipes={wipes}
            empty={pixels === null}
            onChange={(ink, width, height) => setPixels(centred(ink, width, height))}
          />
          <div class="controls">
            <button type="button" onClick={() => setWipes(wipes + 1)}>
              Clear
            </button>
            <span class="seen">
              <Picture
                pixels={pixels ?? EMPTY}
                size={28}
                side={56}
                range={RANGE}
                label="the drawing as the network sees it"
              />
              as the network sees it
            </span>
          </div>
        </div>
        <div class="answer">
          <p class="verdict" role="status" data-testid="verdict">
            {best === null ? '–' : classes.value[best]}
          </p>
          <Probabilities values={answer ?? NOTHING} />
        </div>
      </div>
      <Weights />
    </>
  );
}
