/** One parsed command line: the command's path (`['source', 'add']`), its arguments, and all options by camel-case name. */
export type Invocation = {
  readonly path: readonly string[]
  readonly args: readonly string[]
  readonly options: Readonly<Record<string, unknown>>
  /** Names of the options that stood on the command line, as opposed to the environment and defaults. */
  readonly typed?: ReadonlySet<string>
}

export function textOption(invocation: Invocation, name: string): string | undefined {
  const value = invocation.options[name]
  return typeof value === 'string' ? value : undefined
}

/** The same, only when it was typed: for commands that we suggest, which find the environment as it is. */
export function typedOption(invocation: Invocation, name: string): string | undefined {
  return invocation.typed?.has(name) === false ? undefined : textOption(invocation, name)
}

export function listOption(invocation: Invocation, name: string): readonly string[] {
  const value = invocation.options[name]
  if (Array.isArray(value)) return value as readonly string[]
  return typeof value === 'string' ? [value] : []
}

export function flagOption(invocation: Invocation, name: string): boolean {
  return invocation.options[name] === true
}
