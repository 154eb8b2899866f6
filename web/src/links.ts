/** A Piece of a message: a text, or the address of a link. */
export type Piece = { text: string } | { link: string };

/** pieces finds the web addresses in a message. */
export function pieces(message: string): Piece[] {
  const found: Piece[] = [];
  let end = 0;
  for (const match of message.matchAll(/\bhttps?:\/\/[^\s<>"]+/giu)) {
    // What ends a sentence is not the address's.
    const link = match[0].replace(/[.,;:!?'”»)\]}]+$/u, "");
    if (!URL.canParse(link)) {
      continue;
    }
    if (match.index > end) {
      found.push({ text: message.slice(end, match.index) });
    }
    found.push({ link });
    end = match.index + link.length;
  }
  if (end < message.length) {
    found.push({ text: message.slice(end) });
  }
  return found;
}
