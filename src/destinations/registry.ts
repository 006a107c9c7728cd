import type { DestinationDefinition } from './define-destination.ts'

/** Providers and where they live: one line each, loaded when a command needs one. */
export const DESTINATIONS: Readonly<Record<string, () => Promise<DestinationDefinition>>> = {
  splunk: () => import('./splunk.ts').then((file) => file.splunk as unknown as DestinationDefinition),
}
