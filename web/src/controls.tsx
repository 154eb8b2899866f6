// The buttons below the gallery. They are all there at once: no menu hides one.

import { useId } from "preact/hooks";
import { Icon, type IconName } from "./icons.js";
import { text } from "./texts.js";

export interface ControlProps {
  icon: IconName;
  label: string;
  onPress: () => void;
  /** How it looks: "off" is a device that is off, "on" something that is under way. */
  look?: "off" | "on" | "danger" | undefined;
  /** Why it cannot be used; undefined when it can. */
  blocked?: string | undefined;
  /** What screen readers say after the name. */
  description?: string | undefined;
  /** A number on the sign, such as that of messages not read. */
  badge?: number | undefined;
  /** Whether what it opens is open; left out for buttons that open nothing. */
  expanded?: boolean | undefined;
  popup?: boolean;
}

/**
 * Control is a button with a sign and a name. One that cannot be used keeps its place among the
 * keyboard's stops, so that everybody can learn why: pressing it only says so.
 */
export function Control({
  icon,
  label,
  onPress,
  look,
  blocked,
  description,
  badge,
  expanded,
  popup,
  onBlocked,
}: ControlProps & { onBlocked: (reason: string) => void }) {
  const id = useId();
  const said = blocked ?? description;
  return (
    <span class="control-place">
      <button
        type="button"
        class={`control ${look ? `control-${look}` : ""}`}
        aria-disabled={blocked ? "true" : undefined}
        aria-describedby={said ? id : undefined}
        aria-expanded={expanded}
        aria-haspopup={popup ? "dialog" : undefined}
        title={blocked}
        onClick={() => (blocked ? onBlocked(blocked) : onPress())}
      >
        <Icon name={icon} />
        <span class="control-label">{label}</span>
        {badge ? (
          <span class="badge" aria-hidden="true">
            {badge > 99 ? "99+" : badge}
          </span>
        ) : null}
      </button>
      {said && (
        <span id={id} class="visually-hidden">
          {said}
        </span>
      )}
    </span>
  );
}

/** unread says how many messages were not read, for the button that opens the chat. */
export function unread(count: number): string | undefined {
  return count > 0 ? text("unread", { count }) : undefined;
}
