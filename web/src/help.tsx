import { useState } from "preact/hooks";
import { Dialog } from "./dialog.js";
import { keys, shortcutsOn, switchShortcuts } from "./shortcuts.js";
import { text } from "./texts.js";

/** Help lists the keys, and switches them off and on. */
export function Help({ onClose }: { onClose: () => void }) {
  const [on, setOn] = useState(shortcutsOn());
  return (
    <Dialog heading={text("shortcuts")} onClose={onClose}>
      <dl class="keys">
        {keys.map(({ key, text: what }) => (
          <div key={key}>
            <dt>
              <kbd>{key.toUpperCase()}</kbd>
            </dt>
            <dd>{text(what)}</dd>
          </div>
        ))}
        <div>
          <dt>
            <kbd>Esc</kbd>
          </dt>
          <dd>{text("keyEscape")}</dd>
        </div>
      </dl>
      <label class="check">
        <input
          type="checkbox"
          checked={on}
          onChange={({ currentTarget: { checked } }) => {
            switchShortcuts(checked);
            setOn(checked);
          }}
        />
        {text("shortcutsOn")}
      </label>
      <form method="dialog" class="actions">
        <button type="submit" class="button plain">
          {text("close")}
        </button>
      </form>
    </Dialog>
  );
}
