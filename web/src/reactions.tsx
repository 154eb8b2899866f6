import type { Reaction, Stay } from "./api.js";
import { Popover } from "./dialog.js";
import { Icon } from "./icons.js";
import { type Key, text } from "./texts.js";

export const reactions: Record<Reaction, Key> = {
  like: "reactLike",
  heart: "reactHeart",
  applause: "reactApplause",
  laugh: "reactLaugh",
  surprised: "reactSurprised",
};

const kinds = Object.keys(reactions) as Reaction[];

export function ReactionChoice(props: { onReact: (kind: Reaction) => void; onClose: () => void }) {
  return (
    <Popover label={text("react")} onClose={props.onClose}>
      <div class="reaction-choice">
        {kinds.map((kind) => (
          <button
            key={kind}
            type="button"
            class={`icon-button reaction-${kind}`}
            aria-label={text(reactions[kind])}
            title={text(reactions[kind])}
            onClick={() => props.onReact(kind)}
          >
            <Icon name={kind} />
          </button>
        ))}
      </div>
    </Popover>
  );
}

/** Reactions rise over the gallery for as long as the server sends them. What they say is said elsewhere. */
export function Reactions({ reactions: shown }: { reactions: Stay["reactions"] }) {
  return (
    <div class="reactions" aria-hidden="true">
      {shown.map(({ seq, from, kind }) => (
        <span key={seq} class={`reaction reaction-${kind} lane-${seq % 5}`}>
          <Icon name={kind} />
          <span dir="auto">{from}</span>
        </span>
      ))}
    </div>
  );
}
