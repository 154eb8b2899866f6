// Where tiles go.

export interface Area {
  width: number;
  height: number;
}

export interface Grid {
  columns: number;
  /** Of a tile, in px. */
  width: number;
  height: number;
  /** Whether all rows are higher than the area, so that it scrolls. */
  scrolls: boolean;
}

/** The proportions of a tile, those of most cameras. */
const ratio = 16 / 9;
/** Below this width, in px, a face and its name cannot be made out. */
const legible = 132;

/** grid finds the columns that make count tiles in an area as large as they can be, all of one size. */
export function grid(count: number, area: Area, gap: number): Grid {
  let best: Grid | undefined;
  for (let columns = 1; columns <= Math.max(1, count); columns++) {
    const rows = Math.ceil(count / columns);
    const across = (area.width - gap * (columns - 1)) / columns;
    const down = ((area.height - gap * (rows - 1)) / rows) * ratio;
    const width = Math.floor(Math.min(across, down));
    if (!best || width > best.width) {
      best = { columns, width, height: Math.floor(width / ratio), scrolls: false };
    }
  }
  if (best && best.width >= legible) {
    return best;
  }
  // Not everybody fits: as many columns as stay legible, and the rest below.
  const columns = Math.max(1, Math.min(count, Math.floor((area.width + gap) / (legible + gap))));
  const width = Math.max(0, Math.floor((area.width - gap * (columns - 1)) / columns));
  const height = Math.floor(width / ratio);
  const rows = Math.ceil(count / columns);
  return { columns, width, height, scrolls: rows * (height + gap) - gap > area.height };
}
