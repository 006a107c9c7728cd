import * as z from 'zod'
import type { BatchLimits } from '../core/destination.ts'

/** The stream key `batch`, never above the provider's hard limits. */
export function batchWithin(hard: BatchLimits) {
  const maxEvents = z.int().positive()
  return z
    .strictObject({
      maxEvents: (hard.maxEvents === null ? maxEvents : maxEvents.max(hard.maxEvents)).optional(),
      maxBytes: z.int().positive().max(hard.maxBytes).optional(),
    })
    .optional()
}
