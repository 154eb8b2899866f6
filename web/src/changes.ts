import { useEffect, useReducer } from "preact/hooks";

/** Changes is something that is shown and changes by itself. */
export class Changes {
  readonly #listeners = new Set<() => void>();

  /** listen calls the listener after each change, until the returned function is called. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  protected changed(): void {
    for (const listener of this.#listeners) {
      listener();
    }
  }
}

/** useChanges renders a component again whenever one of the sources changes. */
export function useChanges(...sources: readonly Changes[]): void {
  const [, again] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    const ends = sources.map((source) => source.listen(() => again(undefined)));
    // Whatever changed between rendering and listening would be missed.
    again(undefined);
    return () => {
      for (const end of ends) {
        end();
      }
    };
  }, sources);
}
