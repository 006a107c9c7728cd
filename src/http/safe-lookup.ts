import { type LookupAddress, lookup as systemLookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { UserError } from '../core/errors.ts'
import { addressKind } from './address.ts'

/**
 * The resolver of every socket: looks a name up once and hands over only addresses that may be connected to, so that what was checked is
 * what is connected to. A name that leads to nothing but link-local or cloud metadata addresses fails with a `UserError`; an operator who
 * means such an address writes it literally, and then no resolver is asked.
 */
export function safeLookup(resolve: typeof systemLookup = systemLookup): LookupFunction {
  return (hostname, options, done) => {
    resolve(hostname, { ...options, all: true }, (error, found: readonly LookupAddress[]) => {
      if (error !== null) return done(error, '')
      const usable = found.filter(({ address }) => addressKind(address) !== 'link-local')
      const [first] = usable
      if (first === undefined) {
        const addresses = found.map(({ address }) => address).join(', ')
        return done(
          new UserError(
            `${hostname} resolves to ${addresses || 'no address'}, a link-local or cloud metadata address`,
            {
              code: 'refused-address',
              hint: 'write the address itself into the URL if it is really meant',
            },
          ),
          '',
        )
      }
      if (options.all) done(null, [...usable])
      else done(null, first.address, first.family)
    })
  }
}
