/** `1,203`. */
export function count(value: number): string {
  return value.toLocaleString('en-US')
}

/** `1 event`, `1,203 events`; `plural` where it is not made with an s. */
export function counted(value: number, noun: string, plural = `${noun}s`): string {
  return `${count(value)} ${value === 1 ? noun : plural}`
}
