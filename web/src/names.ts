// Names, as pictures and lists show them.

const letters = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** initials are one or two letters that stand for a name where there is no picture. */
export function initials(name: string): string {
  const words = name
    .replace(/\(\d+\)\s*$/, "")
    .split(/[\s_.-]+/u)
    .filter((word) => /[\p{L}\p{N}]/u.test(word));
  const ends = words.length > 1 ? [words[0], words.at(-1)] : words;
  const chosen = ends.map((word = "") => {
    const clear = word.replace(/^[^\p{L}\p{N}]+/u, "");
    return letters.segment(clear)[Symbol.iterator]().next().value?.segment ?? "";
  });
  return chosen.join("").toLocaleUpperCase() || "?";
}

/** The colours that stand behind initials: see .hue-0 to .hue-5 in meeting.css. */
const hues = 6;

/** hue chooses a colour for a person, always the same one. */
export function hue(name: string): number {
  let sum = 0;
  for (const letter of name) {
    sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9973;
  }
  return sum % hues;
}

/** labels tells people of one name apart: the second is "Vera (2)". */
export function labels(names: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return names.map((name) => {
    const number = (seen.get(name) ?? 0) + 1;
    seen.set(name, number);
    return number === 1 ? name : `${name} (${number})`;
  });
}

/** movement is who came and who left between two lists of people, oneself not counted. */
export function movement<P extends { id: string; me: boolean }>(
  before: readonly P[],
  after: readonly P[],
): { came: P[]; left: P[] } {
  const missing = (from: readonly P[], others: readonly P[]) => {
    const ids = new Set(others.map(({ id }) => id));
    return from.filter(({ id, me }) => !me && !ids.has(id));
  };
  return { came: missing(after, before), left: missing(before, after) };
}
