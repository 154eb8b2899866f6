// Buttons that copy a text, such as a join link:
//
//   <button type="button" class="button" data-copy="https://…" hidden>Copy link</button>
//
// They are hidden in the page, since without script they could do nothing.

/** What a button needs of the browser's clipboard. */
export type Clipboard = Pick<globalThis.Clipboard, "writeText">;

/** outcome copies the text and says how that went, in words for the visitor. */
export async function outcome(clipboard: Clipboard, text: string): Promise<string> {
  try {
    await clipboard.writeText(text);
    return "Copied.";
  } catch {
    return "The browser did not allow copying. Select the text and copy it.";
  }
}

/** enableCopying shows the buttons below root and lets them work, if there is a clipboard. */
export function enableCopying(root: ParentNode, clipboard: Clipboard | undefined): void {
  if (!clipboard) {
    return;
  }
  for (const button of root.querySelectorAll<HTMLButtonElement>("button[data-copy]")) {
    // A live region must be in the page before its text, or screen readers stay silent.
    const status = button.ownerDocument.createElement("span");
    status.className = "copied";
    status.setAttribute("role", "status");
    button.after(status);
    button.hidden = false;
    button.addEventListener("click", async () => {
      status.textContent = "";
      status.textContent = await outcome(clipboard, button.dataset["copy"] ?? "");
    });
  }
}
