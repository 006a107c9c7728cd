import { UserError } from '../core/errors.ts'
import { type EventFilter, isFiltered } from '../core/filter.ts'
import type { OpenStream } from './job.ts'

/** An event without a project belongs to this product. @source Infisical: audit-log-stream filters.products */
const ORGANIZATION = 'organization'

/**
 * The filter that leaves out what the live stream's own product filter would not have sent. An organization-only stream can be followed
 * exactly; audit rows do not tell the product of their project, so any other must be narrowed by whoever knows the projects.
 * @throws UserError when following the live stream is not possible without that
 */
export function withinProducts(stream: OpenStream, filter: EventFilter): EventFilter {
  const products = stream.options.filters?.products ?? []
  if (products.length === 0) return filter
  if (products.length === 1 && products[0] === ORGANIZATION) {
    return { ...filter, where: [...filter.where, { path: ['projectId'], operator: '=', value: 'null' }] }
  }
  if (isFiltered(filter)) return filter
  const { name } = stream.destination
  throw new UserError(
    `the live stream ${name} carries only events of ${products.join(', ')}, and audit rows do not tell the product of their project`,
    {
      code: 'products',
      hint: `name the projects it carries with --project, or remove streams.${name}.filters.products`,
    },
  )
}
