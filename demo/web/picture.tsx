/** Small grey pictures on canvases. */
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

interface PictureProps {
  /** Row-major, `size` × `size`. */
  readonly pixels: Float32Array;
  readonly size: number;
  /** CSS pixels of a side; as wide as its place if absent. */
  readonly side?: number;
  readonly label: string;
  /** Values shown black and white. */
  readonly range: readonly [number, number];
}

export function Picture({ pixels, size, side, label, range }: PictureProps): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context) return;
    const image = context.createImageData(size, size);
    const [low, high] = range;
    for (let i = 0; i < size * size; i++) {
      const grey = (255 * (pixels[i] - low)) / (high - low || 1);
      image.data.set([grey, grey, grey, 255], 4 * i);
    }
    context.putImageData(image, 0, 0);
  }, [pixels, size, range]);
  return (
    <canvas
      ref={canvas}
      class="picture"
      width={size}
      height={size}
      style={side === undefined ? undefined : { width: `${side}px`, height: `${side}px` }}
      role="img"
      aria-label={label}
    />
  );
}
