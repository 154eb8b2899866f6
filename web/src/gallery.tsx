// Everybody's pictures: all of one size, or one large and the rest in a strip.

import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Person, Stay } from "./api.js";
import type { Call } from "./call.js";
import { type Area, grid } from "./layout.js";
import { text } from "./texts.js";
import { Tile } from "./tile.js";

const gap = 8;

interface Figure {
  key: string;
  person: Person;
  screen: boolean;
}

export function Gallery({ stay, call }: { stay: Stay; call: Call }) {
  const [pinned, setPinned] = useState<string>();
  const box = useRef<HTMLDivElement>(null);
  const area = useArea(box);

  const screens = stay.people
    .filter((person) => call.feed(person).screen)
    .map((person): Figure => ({ key: `${person.id} screen`, person, screen: true }));
  const people = stay.people.map((person): Figure => ({ key: person.id, person, screen: false }));
  const all = [...screens, ...people];
  const large = all.find(({ key }) => key === pinned) ?? screens[0];
  const rest = all.filter((figure) => figure !== large);
  const watermark = stay.me.email ?? stay.me.name;

  const show = ({ key, person, screen }: Figure) => (
    <Tile
      key={key}
      person={person}
      feed={call.feed(person)}
      screen={screen}
      pinned={key === pinned}
      onPin={() => setPinned(key === pinned ? undefined : key)}
      watermark={stay.watermark[screen ? "screen" : "video"] ? watermark : undefined}
    />
  );
  if (large) {
    const beside = area.width > 700 && area.width > area.height;
    return (
      <div ref={box} class={`gallery one-large ${beside ? "beside" : "below"}`}>
        <div class="large">{show(large)}</div>
        {rest.length > 0 && (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: whoever has no pointer scrolls it by keys
          <section class="strip" tabIndex={0} aria-label={text("others")}>
            {rest.map(show)}
          </section>
        )}
      </div>
    );
  }
  const { columns, width, height, scrolls } = grid(all.length, area, gap);
  const speaker = scrolls && stay.people.find((person) => !person.me && call.feed(person).speaking);
  return (
    <div
      ref={box}
      class={`gallery ${scrolls ? "scrolls" : ""}`}
      style={{ "--tile-width": `${width}px`, "--tile-height": `${height}px` }}
      {...(scrolls ? { tabIndex: 0, role: "region", "aria-label": text("everybody") } : {})}
    >
      <div class="grid" style={{ "max-width": `${columns * (width + gap)}px` }}>
        {all.map(show)}
      </div>
      {speaker && (
        // Whoever speaks may be out of sight. Screen readers are not told: one hears it.
        <p class="speaker" aria-hidden="true">
          {text("speaking", { name: speaker.label })}
        </p>
      )}
    </div>
  );
}

/** useArea measures an element whenever its size changes. */
function useArea(box: RefObject<HTMLElement | null>): Area {
  const [area, setArea] = useState<Area>({ width: 0, height: 0 });
  useEffect(() => {
    const element = box.current;
    if (!element) {
      return;
    }
    const observer = new ResizeObserver(([entry]) => {
      const { width = 0, height = 0 } = entry?.contentRect ?? {};
      setArea((before) =>
        before.width === width && before.height === height ? before : { width, height },
      );
    });
    observer.observe(element);
    return () => observer.disconnect();
  });
  return area;
}
