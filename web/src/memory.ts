// What the browser keeps: for the visitor, names and devices; for the tab, that it is in a meeting.
// Neither is ever a secret: tickets are not kept at all.

/** Storage may be forbidden or full; then nothing is kept, and nothing else suffers. */
function attempt<Result>(of: () => Result): Result | undefined {
  try {
    return of();
  } catch {
    return undefined;
  }
}

/** recall returns what [remember] kept in this browser. */
export function recall(key: string): string | undefined {
  return attempt(() => localStorage.getItem(`convene.${key}`)) ?? undefined;
}

export function remember(key: string, value: string): void {
  attempt(() => localStorage.setItem(`convene.${key}`, value));
}

/** What a tab knows of its stay, so that a reload is the same tab. */
export interface TabMemory {
  link: string;
  tab: string;
  name: string;
  /** Whether it was waiting or in the room when it was last heard of. */
  staying: boolean;
}

/** recallTab returns what the tab remembers of the meeting with this link. */
export function recallTab(link: string): TabMemory | undefined {
  const kept = attempt(() => JSON.parse(sessionStorage.getItem("convene.tab") ?? "null"));
  return kept?.link === link ? kept : undefined;
}

export function rememberTab(memory: TabMemory): void {
  attempt(() => sessionStorage.setItem("convene.tab", JSON.stringify(memory)));
}
