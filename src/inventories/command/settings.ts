/** What the stream's settings say, as its destination's schema parsed them. */
export type CommandSettings = {
  readonly inventory?: { readonly command: readonly string[] } | { readonly url: string } | undefined
  /** Where the id stands in a printed object; undefined: the usual places. */
  readonly idField?: string | undefined
}
