/** Indexer acknowledgment: a counter and its statuses for each channel. */
export type AckBook = {
  /** No status more fits into the channel. */
  isFull(channel: string, now: number): boolean
  /** The next ackId of a channel. */
  open(channel: string, now: number, never: boolean): number
  /** Each id's status; a true is told once, and an unknown id is false like a pending one. */
  poll(channel: string, ids: readonly unknown[], now: number): Record<string, boolean>
  /** The service restarts: everything is forgotten. */
  restart(): void
}

type Channel = { next: number; readonly readyAt: Map<number, number>; lastUsed: number }

export function ackBook(limits: {
  readonly ackDelayMs: number
  readonly ackIdleMs: number
  readonly maxPendingAcks: number
}): AckBook {
  const channels = new Map<string, Channel>()
  const channelOf = (name: string, now: number): Channel => {
    const known = channels.get(name)
    const channel =
      known !== undefined && now - known.lastUsed <= limits.ackIdleMs
        ? known
        : { next: 0, readyAt: new Map<number, number>(), lastUsed: now }
    channel.lastUsed = now
    channels.set(name, channel)
    return channel
  }

  return {
    isFull: (name, now) => channelOf(name, now).readyAt.size >= limits.maxPendingAcks,
    open(name, now, never) {
      const channel = channelOf(name, now)
      const id = channel.next
      channel.next += 1
      channel.readyAt.set(id, never ? Number.POSITIVE_INFINITY : now + limits.ackDelayMs)
      return id
    },
    poll(name, ids, now) {
      const channel = channelOf(name, now)
      const statuses: Record<string, boolean> = {}
      for (const id of ids) {
        const readyAt = typeof id === 'number' ? channel.readyAt.get(id) : undefined
        const isReady = readyAt !== undefined && readyAt <= now
        if (isReady) channel.readyAt.delete(id as number)
        statuses[String(id)] = isReady
      }
      return statuses
    },
    restart: () => channels.clear(),
  }
}
