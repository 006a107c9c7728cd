/** The answer, or the signal's reason as soon as it fires: for calls of an SDK that take no signal. What they began goes on unheard. */
export async function untilAborted<Value>(answer: Promise<Value>, signal: AbortSignal): Promise<Value> {
  let onAbort: (() => void) | undefined
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([answer, aborted])
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort)
    answer.catch(() => undefined)
    aborted.catch(() => undefined)
  }
}
