import { useId } from "preact/hooks";

/** Watermark is the viewer's name all over a picture, so that a photograph of it tells whose screen it was. */
export function Watermark({ words }: { words: string }) {
  const pattern = useId();
  // The words decide how far apart they stand, since a pattern cuts off what does not fit it.
  const width = Math.max(160, words.length * 9 + 48);
  return (
    <svg class="watermark" aria-hidden="true">
      <defs>
        <pattern
          id={pattern}
          width={width}
          height="96"
          patternUnits="userSpaceOnUse"
          patternTransform="rotate(-24)"
        >
          <text x="12" y="56">
            {words}
          </text>
        </pattern>
      </defs>
      <rect width="100%" height="100%" fill={`url(#${pattern})`} />
    </svg>
  );
}
