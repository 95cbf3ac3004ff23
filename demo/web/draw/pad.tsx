/** A surface to draw on: mouse, pen, finger, or arrow keys. */
import type { JSX, TargetedKeyboardEvent, TargetedPointerEvent } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

const SIDE = 280;
const PEN = 22;
const KEY_STEP = 8;

interface PadProps {
  /** Called with the grey levels (white on black, in [0, 1]) after every change. */
  readonly onChange: (ink: Float32Array, width: number, height: number) => void;
  /** Counts up to wipe the pad. */
  readonly wipes: number;
  /** Nothing has been drawn yet. */
  readonly empty: boolean;
}

type Place = readonly [x: number, y: number];

const ARROWS: Readonly<Record<string, Place>> = {
  ArrowLeft: [-KEY_STEP, 0],
  ArrowRight: [KEY_STEP, 0],
  ArrowUp: [0, -KEY_STEP],
  ArrowDown: [0, KEY_STEP],
};

export function Pad({ onChange, wipes, empty }: PadProps): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const last = useRef<Place | null>(null);
  const [cursor, setCursor] = useState<Place | null>(null);
  const [penDown, setPenDown] = useState(false);

  const context = () => canvas.current?.getContext('2d', { willReadFrequently: true });
  const report = (): void => {
    const pixels = context()?.getImageData(0, 0, SIDE, SIDE).data;
    if (pixels)
      onChange(
        Float32Array.from({ length: SIDE * SIDE }, (_, i) => pixels[4 * i] / 255),
        SIDE,
        SIDE,
      );
  };

  useEffect(() => {
    const c = context();
    if (!c) return;
    c.fillStyle = '#000';
    c.fillRect(0, 0, SIDE, SIDE);
    c.strokeStyle = '#fff';
    c.lineWidth = PEN;
    c.lineCap = 'round';
    c.lineJoin = 'round';
    report();
  }, [wipes]);

  const strokeTo = (from: Place, to: Place): void => {
    const c = context();
    if (!c) return;
    c.beginPath();
    c.moveTo(...from);
    c.lineTo(...to);
    c.stroke();
    report();
  };
  const placeOf = (event: PointerEvent): Place => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    return [((event.clientX - box.left) * SIDE) / box.width, ((event.clientY - box.top) * SIDE) / box.height];
  };
  const down = (event: TargetedPointerEvent<HTMLCanvasElement>): void => {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    setCursor(null); // whoever points sees where
    last.current = placeOf(event);
    strokeTo(last.current, last.current);
  };
  const move = (event: TargetedPointerEvent<HTMLCanvasElement>): void => {
    if (last.current === null) return;
    const place = placeOf(event);
    strokeTo(last.current, place);
    last.current = place;
  };
  const up = (): void => {
    last.current = null;
  };
  const key = (event: TargetedKeyboardEvent<HTMLCanvasElement>): void => {
    const from = cursor ?? [SIDE / 2, SIDE / 2];
    if (event.key === ' ' || event.key === 'Enter') {
      event.preventDefault();
      setPenDown(!penDown);
      if (!penDown) strokeTo(from, from);
      return;
    }
    const step = ARROWS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const inside = (v: number) => Math.min(SIDE, Math.max(0, v));
    const to: Place = [inside(from[0] + step[0]), inside(from[1] + step[1])];
    if (penDown) strokeTo(from, to);
    setCursor(to);
  };
  return (
    <div class="pad">
      {/* biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: the keys are the pad's own, as the label says */}
      <canvas
        ref={canvas}
        width={SIDE}
        height={SIDE}
        tabIndex={0}
        role="application"
        aria-label={`Drawing pad. Arrow keys move the pen, space ${penDown ? 'lifts it' : 'puts it down'}.`}
        data-testid="pad"
        onPointerDown={down}
        onPointerMove={move}
        onPointerUp={up}
        onPointerCancel={up}
        onKeyDown={key}
        onFocus={(event) => {
          if (event.currentTarget.matches(':focus-visible')) setCursor(cursor ?? [SIDE / 2, SIDE / 2]);
        }}
      />
      {empty && cursor === null && (
        <span class="invitation" aria-hidden="true">
          draw here
        </span>
      )}
      {cursor !== null && (
        <span
          class={penDown ? 'cursor down' : 'cursor'}
          style={{ left: `${(100 * cursor[0]) / SIDE}%`, top: `${(100 * cursor[1]) / SIDE}%` }}
          aria-hidden="true"
        />
      )}
    </div>
  );
}
