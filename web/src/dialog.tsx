// What opens above the room: dialogs that stop everything else, and popovers that do not.

import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { Icon } from "./icons.js";
import { text } from "./texts.js";

export interface DialogProps {
  heading: string;
  onClose: () => void;
  children: ComponentChildren;
}

/** Dialog is modal; Escape closes it, and the focus returns to where it was. */
export function Dialog({ heading, onClose, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    element.current?.showModal();
  }, []);
  return (
    <dialog ref={element} class="dialog" aria-labelledby={id} onClose={onClose}>
      <h2 id={id}>{heading}</h2>
      {children}
    </dialog>
  );
}

export interface ConfirmProps {
  heading: string;
  explanation: string;
  action: string;
  onConfirm: () => void;
  onClose: () => void;
}

/** Confirm asks before something that cannot be undone. */
export function Confirm({ heading, explanation, action, onConfirm, onClose }: ConfirmProps) {
  return (
    <Dialog heading={heading} onClose={onClose}>
      <p>{explanation}</p>
      <form method="dialog" class="actions">
        <button type="submit" class="button danger" onClick={onConfirm}>
          {action}
        </button>
        <button type="submit" class="button plain">
          {text("cancel")}
        </button>
      </form>
    </Dialog>
  );
}

export interface PopoverProps {
  label: string;
  onClose: () => void;
  children: ComponentChildren;
}

/** Popover stands above the controls. Escape closes it, and so does a press anywhere else. */
export function Popover({ label, onClose, children }: PopoverProps) {
  const element = useRef<HTMLDivElement>(null);
  // The listeners are set once, and call whatever is to be called then.
  const close = useRef(onClose);
  close.current = onClose;
  useEffect(() => {
    const popover = element.current;
    const opener = document.activeElement;
    popover?.querySelector<HTMLElement>("button, select, input")?.focus();
    const press = (event: PointerEvent) => {
      const target = event.target as Element;
      // The button that opened it closes it by itself.
      if (!popover?.contains(target) && !target.closest("[aria-haspopup]")) {
        close.current();
      }
    };
    const key = (event: KeyboardEvent) => {
      if (event.key === "Escape") {
        event.stopPropagation();
        close.current();
      }
    };
    document.addEventListener("pointerdown", press);
    document.addEventListener("keydown", key, { capture: true });
    return () => {
      document.removeEventListener("pointerdown", press);
      document.removeEventListener("keydown", key, { capture: true });
      if (popover?.contains(document.activeElement) && opener instanceof HTMLElement) {
        opener.focus();
      }
    };
  }, []);
  return (
    <div ref={element} class="popover" role="dialog" aria-label={label}>
      {children}
    </div>
  );
}

export interface PanelProps {
  heading: string;
  onClose: () => void;
  children: ComponentChildren;
}

/** Panel stands beside the gallery, or over it on a small screen. Escape in it closes it. */
export function Panel({ heading, onClose, children }: PanelProps) {
  const id = useId();
  const element = useRef<HTMLElement>(null);
  const opener = useRef(document.activeElement);
  useEffect(
    () => () => {
      if (element.current?.contains(document.activeElement)) {
        (opener.current as HTMLElement | null)?.focus();
      }
    },
    [],
  );
  return (
    <section
      ref={element}
      class="panel"
      aria-labelledby={id}
      onKeyDown={({ key, target }) => {
        // In a dialog that the panel opened, Escape is the dialog's.
        if (key === "Escape" && !(target as Element).closest("dialog")) {
          onClose();
        }
      }}
    >
      <header class="panel-head">
        <h2 id={id}>{heading}</h2>
        <button
          type="button"
          class="icon-button"
          aria-label={text("closePanel", { name: heading })}
          onClick={onClose}
        >
          <Icon name="close" />
        </button>
      </header>
      {children}
    </section>
  );
}
