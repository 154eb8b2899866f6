// Times in the visitor's own zone and language.
//
// A page says them in UTC, which is right for everybody and needs no script:
//
//   <time datetime="2031-02-06T01:49:21Z" data-localtime>6 February 2031, 01:49 UTC</time>
//
// With data-end the element is a span of time. Whatever cannot be read stays as the page said it.

/** Where and how the visitor reads times; what is left out is the browser's own. */
export interface Reader {
  locales?: readonly string[];
  timeZone?: string;
}

export interface LocalText {
  text: string;
  /** The language the text came out in, which may differ from the page's. */
  locale: string;
}

/** localText says a time, or a span, as the reader would; undefined when it is not one. */
export function localText(start: string, end?: string, reader: Reader = {}): LocalText | undefined {
  const from = instant(start);
  const to = end === undefined ? undefined : instant(end);
  if (from === undefined || (end !== undefined && to === undefined)) {
    return undefined;
  }
  if (to !== undefined && to < from) {
    return undefined;
  }
  const format = new Intl.DateTimeFormat(reader.locales ? [...reader.locales] : undefined, {
    weekday: "long",
    year: "numeric",
    month: "long",
    day: "numeric",
    hour: "numeric",
    minute: "2-digit",
    timeZoneName: "short",
    ...(reader.timeZone === undefined ? {} : { timeZone: reader.timeZone }),
  });
  return {
    text: to === undefined ? format.format(from) : format.formatRange(from, to),
    locale: format.resolvedOptions().locale,
  };
}

// instant reads a moment. Without a zone it would be one only by guessing, so that is refused.
function instant(text: string): Date | undefined {
  const zoned = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/.test(text);
  const date = new Date(text);
  return zoned && !Number.isNaN(date.getTime()) ? date : undefined;
}

/** localizeTimes rewrites every marked time below root, and keeps the words in UTC as its title. */
export function localizeTimes(root: ParentNode, reader: Reader): void {
  for (const element of root.querySelectorAll<HTMLTimeElement>("time[data-localtime]")) {
    const said = localText(element.dateTime, element.dataset["end"], reader);
    if (said) {
      element.title = element.textContent?.trim() ?? "";
      element.textContent = said.text;
      element.lang = said.locale;
    }
  }
}
